/** A hash that the kernel measures files with. */
export interface FileHash {
  readonly name: string
  readonly size: number
  /** Its number in signatures of files (Linux include/uapi/linux/hash_info.h). */
  readonly kernelId: number
}

/** The one hash of the `ima` template. */
export const sha1FileHash: FileHash = { name: 'sha1', size: 20, kernelId: 2 }

/** All of them (Linux include/uapi/linux/hash_info.h). A hash without a row is refused. */
export const fileHashes: readonly FileHash[] = [
  sha1FileHash,
  { name: 'sha256', size: 32, kernelId: 4 },
  { name: 'sha384', size: 48, kernelId: 5 },
  { name: 'sha512', size: 64, kernelId: 6 },
  { name: 'sha224', size: 28, kernelId: 7 },
  { name: 'sha3-256', size: 32, kernelId: 20 },
  { name: 'sha3-384', size: 48, kernelId: 21 },
  { name: 'sha3-512', size: 64, kernelId: 22 },
]

/** What was hashed: the content of the file, or its fs-verity tree. */
export type DigestType = 'ima' | 'verity'

/** The digest of a file as an entry carries it. */
export interface FileDigest {
  readonly type: DigestType
  readonly hash: FileHash
  /** A view of the list. */
  readonly value: Uint8Array
}

/**
 * How lists of allowed files write a digest: hex alone for SHA-256 of the content, else with the names of hash and
 * type before it (`sha512:…`, `verity:sha256:…`).
 */
export function digestText({ type, hash, value }: FileDigest): string {
  const hex = Buffer.from(value).toString('hex')
  if (type === 'verity') return `verity:${hash.name}:${hex}`
  return hash.name === 'sha256' ? hex : `${hash.name}:${hex}`
}
