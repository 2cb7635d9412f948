import { CodedError } from '../core/coded-error.ts'
import { parseDer } from '../core/der/reader.ts'
import { TAG } from '../core/der/tag.ts'
import { readObjectIdentifier, readSmallInteger } from '../core/der/value.ts'
import { objectIdentifier, octetString, sequence, smallInteger } from '../core/der/writer.ts'
import { KeyPassphraseError } from './key-passphrase-error.ts'

/** `id-hmacWithSHA256` (RFC 8018 §B.1.2): what the privacy key is for. */
const hmacWithSha256 = '1.2.840.113549.2.9'
const keyLength = 32

/**
 * The key of keyed hashes as a PrivateKeyInfo, so that it is kept as all others are. What is inside is for the
 * algorithm to say (RFC 5958 §2): here the bytes themselves.
 *
 * @param key 32 bytes
 * @returns DER
 */
export function encodePrivacyKey(key: Uint8Array): Uint8Array {
  return sequence(smallInteger(0), sequence(objectIdentifier(hmacWithSha256)), octetString(key))
}

/**
 * @param name of the file, for the error
 * @throws KeyPassphraseError `key-malformed`
 */
export function parsePrivacyKey(der: Uint8Array, name: string): Uint8Array {
  const key = readKey(der, name)
  if (key?.length === keyLength) return key
  throw new KeyPassphraseError('key-malformed', { expected: '32 bytes for HMAC', found: name })
}

function readKey(der: Uint8Array, name: string): Uint8Array | undefined {
  try {
    return parseDer(der, TAG.sequence, info => {
      const version = readSmallInteger(info, 1)
      const algorithm = info.within(TAG.sequence, readObjectIdentifier)
      const key = info.contents(TAG.octetString)
      return version === 0 && algorithm === hmacWithSha256 ? key : undefined
    })
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new KeyPassphraseError('key-malformed', { found: name, cause })
  }
}
