import { parseDer, type DerReader } from '../core/der/reader.ts'
import { TAG } from '../core/der/tag.ts'
import { readObjectIdentifier, readSmallInteger } from '../core/der/value.ts'
import {
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  unsignedInteger,
} from '../core/der/writer.ts'

/** `id-PBES2`, `id-scrypt` and `aes256-CBC-PAD` (RFC 8018 §A.4, RFC 7914 §7, RFC 8018 §B.2.5). */
const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const

/** How the key-encryption key comes from the passphrase: 16 MiB five times, as much as OpenSSL allows in a key file. */
export const scryptCost = { N: 16_384, r: 8, p: 5 } as const
const cost = [scryptCost.N, scryptCost.r, scryptCost.p]

/** A private key under a passphrase, taken apart. */
export interface EncryptedKey {
  /** Of scrypt. */
  readonly salt: Uint8Array
  /** Of AES-256-CBC, 16 bytes. */
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * ```
 * EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier { id-PBES2, SEQUENCE {
 *   SEQUENCE { id-scrypt, SEQUENCE { salt OCTET STRING, costParameter, blockSize, parallelizationParameter } },
 *   SEQUENCE { aes256-CBC-PAD, iv OCTET STRING } } }, encryptedData OCTET STRING }
 * ```
 *
 * @returns DER
 * @see RFC 5958 §3, RFC 8018 §A.4, RFC 7914 §7.1
 */
export function encodeEncryptedKey({ salt, iv, ciphertext }: EncryptedKey): Uint8Array {
  const { N, r, p } = scryptCost
  const n = unsignedInteger(Uint8Array.of(N >> 16, N >> 8, N & 0xff))
  const derivation = sequence(
    objectIdentifier(oids.scrypt),
    sequence(octetString(salt), n, smallInteger(r), smallInteger(p)),
  )
  const cipher = sequence(objectIdentifier(oids.aes256Cbc), octetString(iv))
  const scheme = sequence(objectIdentifier(oids.pbes2), sequence(derivation, cipher))
  return sequence(scheme, octetString(ciphertext))
}

/**
 * Takes apart what {@link encodeEncryptedKey} gives; undefined for a key of another scheme or cost.
 *
 * @throws DerError
 */
export function parseEncryptedKey(der: Uint8Array): EncryptedKey | undefined {
  return parseDer(der, TAG.sequence, key => {
    const scheme = key.enter(TAG.sequence)
    const ciphertext = key.contents(TAG.octetString)
    if (readObjectIdentifier(scheme) !== oids.pbes2) return undefined
    const parameters = scheme.within(TAG.sequence, readParameters)
    scheme.finish()
    return parameters && { ...parameters, ciphertext }
  })
}

function readParameters(reader: DerReader): Omit<EncryptedKey, 'ciphertext'> | undefined {
  const derivation = reader.enter(TAG.sequence)
  const cipher = reader.enter(TAG.sequence)
  if (readObjectIdentifier(derivation) !== oids.scrypt) return undefined
  if (readObjectIdentifier(cipher) !== oids.aes256Cbc) return undefined
  const salt = derivation.within(TAG.sequence, readSalt)
  const iv = cipher.contents(TAG.octetString)
  derivation.finish()
  cipher.finish()
  return salt && iv.length === 16 ? { salt, iv } : undefined
}

/** The salt, where the cost is ours. `keyLength` is left out, as OpenSSL leaves it out. */
function readSalt(reader: DerReader): Uint8Array | undefined {
  const salt = reader.contents(TAG.octetString)
  const found = cost.map(() => readSmallInteger(reader, 1 << 20))
  return found.every((value, index) => value === cost[index]) ? salt : undefined
}
