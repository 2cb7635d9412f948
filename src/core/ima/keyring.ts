import { createHash, type KeyObject } from 'node:crypto'
import { keyObjectOf, parsePublicKey, weaknessOf } from '../x509/public-key.ts'

/** A key that files may be signed with. */
export interface ImaKey {
  /** Hex, 4 bytes: the end of its subject key identifier, as signatures name it. */
  readonly keyId: string
  readonly key: KeyObject
}

/** Keys by their id; two keys may have the same. */
export type ImaKeyring = ReadonlyMap<string, readonly ImaKey[]>

/** A key of the keyring as it is configured. */
export interface ImaKeySource {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Subject key identifier of its certificate, where that is not the SHA-1 of the key. */
  readonly subjectKeyId?: Uint8Array
}

/**
 * The keys that files may be signed with, as the kernel finds them: by the last four bytes of their identifier.
 *
 * @throws DerError for a key that cannot be read; TypeError for one that is too weak or of a kind that is not supported
 * @see Linux asymmetric_verify; RFC 5280 §4.2.1.2
 */
export function createImaKeyring(sources: readonly ImaKeySource[]): ImaKeyring {
  return Map.groupBy(sources.map(keyOf), ({ keyId }) => keyId)
}

function keyOf({ spki, subjectKeyId }: ImaKeySource): ImaKey {
  const { publicKey, keyBits } = parsePublicKey(spki)
  const key = keyObjectOf(publicKey)
  const weakness = weaknessOf(publicKey)
  if (key === undefined || weakness !== undefined)
    throw new TypeError(`not a key that files may be signed with: ${weakness ?? 'unsupported'}`)
  const identifier = subjectKeyId ?? createHash('sha1').update(keyBits).digest()
  return { keyId: Buffer.from(identifier.subarray(-4)).toString('hex'), key }
}
