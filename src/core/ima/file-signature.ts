import { constants, createHash, publicDecrypt, type KeyObject } from 'node:crypto'
import { FormatError } from '../bytes/format-error.ts'
import { parseAll } from '../bytes/reader.ts'
import { unlessMalformed } from '../uefi/unless-malformed.ts'
import { fileHashes, type FileDigest, type FileHash } from './digest.ts'
import { isEcdsaSignatureOf } from './ecdsa-digest.ts'
import type { ImaKeyring } from './keyring.ts'

/** First bytes of the attribute: a signature over the digest of a file, or over that of its fs-verity tree. */
const fileType = { type: 0x03, version: 2 } as const
const verityType = { type: 0x06, version: 3 } as const

/** The signature of a file as its extended attribute carries it. */
export interface FileSignature {
  readonly version: 2 | 3
  readonly hash: FileHash
  /** Hex, 4 bytes. */
  readonly keyId: string
  readonly value: Uint8Array
}

/**
 *     signature_v2_hdr { type UINT8, version UINT8, hash_algo UINT8, keyid UINT32, sig_size UINT16, sig [] }
 *
 * keyid and sig_size are big-endian. Undefined for anything else, a hash that is not known among it.
 *
 * @see Linux security/integrity/integrity.h; verification I7
 */
export function parseFileSignature(bytes: Uint8Array): FileSignature | undefined {
  return unlessMalformed(() =>
    parseAll(bytes, reader => {
      const [type, version] = [reader.u8(), reader.u8()]
      const kernelId = reader.u8()
      const hash = fileHashes.find(row => row.kernelId === kernelId)
      const form = [fileType, verityType].find(row => row.type === type && row.version === version)
      if (form === undefined || hash === undefined) throw new FormatError('structure-value')
      const keyId = Buffer.from(reader.bytes(4)).toString('hex')
      return { version: form.version, hash, keyId, value: reader.sized() }
    }),
  )
}

/** DigestInfo before the digest (RFC 8017 §9.2 note 1). SHA-1 has none: it signs nothing that is believed. */
const digestInfo: ReadonlyMap<string, string> = new Map([
  ['sha256', '3031300d060960864801650304020105000420'],
  ['sha384', '3041300d060960864801650304020205000430'],
  ['sha512', '3051300d060960864801650304020305000440'],
  ['sha224', '302d300d06096086480165030402040500041c'],
])

/**
 * Whether a key of the keyring signed exactly this digest, of this hash and type.
 *
 * @param signature the attribute, untrusted
 * @see Linux digsig_verify; verification I7
 */
export function isSignedFile(
  digest: FileDigest,
  signature: Uint8Array,
  keyring: ImaKeyring,
): boolean {
  const parsed = parseFileSignature(signature)
  const isSameKind = parsed?.version === (digest.type === 'verity' ? 3 : 2)
  if (parsed === undefined || !isSameKind || parsed.hash.name !== digest.hash.name) return false
  const info = digestInfo.get(parsed.hash.name)
  if (info === undefined) return false
  const signed = parsed.version === 2 ? digest.value : fileIdDigest(digest)
  const keys = keyring.get(parsed.keyId) ?? []
  return keys.some(({ key }) => isSignedDigest(key, info, signed, parsed.value))
}

/**
 *     ima_file_id { hash_type UINT8, hash_algorithm UINT8, hash [] }
 *
 * @see Linux calc_file_id_hash
 */
function fileIdDigest({ hash, value }: FileDigest): Uint8Array {
  const head = Uint8Array.of(verityType.type, hash.kernelId)
  return createHash(hash.name).update(head).update(value).digest()
}

function isSignedDigest(
  key: KeyObject,
  info: string,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.asymmetricKeyType === 'ec') return isEcdsaSignatureOf(key, digest, signature)
  const expected = Buffer.concat([Buffer.from(info, 'hex'), digest])
  try {
    const recovered = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature)
    return recovered.equals(expected)
  } catch {
    // Wrong length or padding: the runtime says so by throwing.
    return false
  }
}
