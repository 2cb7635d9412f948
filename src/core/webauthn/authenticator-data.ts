import { FormatError } from '../bytes/format-error.ts'
import { Reader } from '../bytes/reader.ts'
import { parseCborMap, readCbor, type CborMap } from './cbor.ts'

/** What an authenticator says of itself and of a new credential. Untrusted until a statement over it verified. */
export interface AuthenticatorData {
  /** SHA-256 of the relying party's identifier, 32 bytes; the caller compares it. */
  readonly rpIdHash: Uint8Array
  /** User present, user verified and the rest, as one octet; the caller decides. */
  readonly flags: number
  readonly signCount: number
  /** The model, 16 bytes. */
  readonly aaguid: Uint8Array
  readonly credentialId: Uint8Array
  /** COSE_Key. */
  readonly publicKey: CborMap
}

const attestedCredential = 0x40
const extensionData = 0x80
const longestCredentialId = 1023

/**
 *     authData = rpIdHash[32] flags[1] signCount[4] attestedCredentialData [extensions]
 *     attestedCredentialData = aaguid[16] credentialIdLength[2] credentialId credentialPublicKey (COSE_Key)
 *
 * @throws FormatError; also where there is no credential
 * @see Web Authentication Level 2 §6.1, §6.5.1
 */
export function parseAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  const reader = new Reader(bytes)
  const rpIdHash = reader.bytes(32)
  const flags = reader.u8()
  const signCount = reader.u32()
  if ((flags & attestedCredential) === 0)
    throw new FormatError('structure-value', { expected: 'attested credential data' })
  const aaguid = reader.bytes(16)
  const credentialId = reader.sized(longestCredentialId)
  const { item, rest } = readCbor(reader.bytes(reader.remaining))
  if (!(item instanceof Map)) throw new FormatError('structure-value', { expected: 'a COSE_Key' })
  requireEnd(rest, (flags & extensionData) !== 0)
  return { rpIdHash, flags, signCount, aaguid, credentialId, publicKey: item }
}

function requireEnd(rest: Uint8Array, hasExtensions: boolean): void {
  if (hasExtensions) parseCborMap(rest)
  else if (rest.length > 0) throw new FormatError('structure-trailing')
}
