import { ImaError } from './error.ts'
import { fileHashes, type DigestType, type FileDigest } from './digest.ts'

interface DigestForm {
  /** The bytes before the digest. */
  readonly prefix: Buffer
  readonly digest: Omit<FileDigest, 'value'>
}

const formsOf = (type: DigestType, before: string): DigestForm[] =>
  fileHashes.map(hash => ({
    prefix: Buffer.from(`${before}${hash.name}:\0`),
    digest: { type, hash },
  }))

/** `d-ng` is `algorithm:\0digest`, `d-ngv2` has the type of the digest before that. */
const forms = {
  'd-ng': formsOf('ima', ''),
  'd-ngv2': [...formsOf('ima', 'ima:'), ...formsOf('verity', 'verity:')],
} as const

/**
 * The digest in a `d-ng` or `d-ngv2` field.
 *
 * @throws ImaError `ima-digest-algorithm` for an unknown hash, or a digest that is not as long as its hash makes it
 * @see Linux ima_eventdigest_init_common; verification I6
 */
export function parseDigestField(kind: keyof typeof forms, field: Uint8Array): FileDigest {
  const form = forms[kind].find(({ prefix }) => startsWith(field, prefix))
  if (form === undefined) throw new ImaError('ima-digest-algorithm', { expected: kind })
  const { digest, prefix } = form
  const value = field.subarray(prefix.length)
  if (value.length !== digest.hash.size) {
    const expected = `${digest.hash.size} bytes of ${digest.hash.name}`
    throw new ImaError('ima-digest-algorithm', { expected, found: `${value.length}` })
  }
  return { ...digest, value }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false
  for (let i = 0; i < prefix.length; i += 1) if (bytes[i] !== prefix[i]) return false
  return true
}

const maxNameBytes = 8192

/**
 * Requires a `n-ng` field: not empty, ended by its only zero byte.
 *
 * @throws ImaError `ima-name`
 */
export function requireNameField(field: Uint8Array): void {
  const end = field.length - 1
  if (end < 1 || end > maxNameBytes || field.indexOf(0) !== end)
    throw new ImaError('ima-name', { found: `${field.length} bytes` })
}
