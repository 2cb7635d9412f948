import { TPM_ALG } from '../tpm/algorithm.ts'
import type { TpmtPublic } from '../tpm/public.ts'
import { keyObjectOf } from '../tpm/signature.ts'
import type { CborMap } from './cbor.ts'

/** One signature algorithm of COSE, as a TPM names it. */
export interface CoseAlgorithm {
  readonly id: number
  readonly keyType: 'ec' | 'rsa'
  readonly scheme: number
  readonly hash: number
}

/** RFC 9053 §2.1, RFC 8812 §2, RFC 8230 §2. RS1 (-65535) and whatever else has no row is refused. */
const algorithms: readonly CoseAlgorithm[] = [
  { id: -7, keyType: 'ec', scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 },
  { id: -35, keyType: 'ec', scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA384 },
  { id: -36, keyType: 'ec', scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA512 },
  { id: -257, keyType: 'rsa', scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 },
  { id: -258, keyType: 'rsa', scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA384 },
  { id: -259, keyType: 'rsa', scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA512 },
  { id: -37, keyType: 'rsa', scheme: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA256 },
  { id: -38, keyType: 'rsa', scheme: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA384 },
  { id: -39, keyType: 'rsa', scheme: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA512 },
]

/** The row of a COSEAlgorithmIdentifier, or undefined. */
export function coseAlgorithm(id: unknown): CoseAlgorithm | undefined {
  return algorithms.find(row => row.id === id)
}

/** Labels of COSE_Key and of its EC2 and RSA forms (RFC 9053 §7.1.1, RFC 8230 §4). */
const label = { keyType: 1, algorithm: 3, curve: -1, x: -2, y: -3, modulus: -1, exponent: -2 }
const keyTypes = { ec: 2, rsa: 3 } as const
const curves: Readonly<Record<string, number>> = { 'P-256': 1, 'P-384': 2, 'P-521': 3 }

/** The algorithm that a COSE_Key is for; undefined where it is weak, unknown or not one of its type. */
export function algorithmOfCoseKey(key: CborMap): CoseAlgorithm | undefined {
  const row = coseAlgorithm(key.get(label.algorithm))
  return row !== undefined && key.get(label.keyType) === keyTypes[row.keyType] ? row : undefined
}

/**
 * Whether a COSE_Key is the key of a public area, in the one form that COSE has for it.
 *
 * @see RFC 9053 §7.1.1, RFC 8230 §4
 */
export function isKeyOfArea(key: CborMap, area: TpmtPublic): boolean {
  const jwk = keyObjectOf(area)?.export({ format: 'jwk' })
  if (jwk?.kty === 'EC') {
    const isSameCurve = key.get(label.curve) === curves[String(jwk.crv)]
    return isSameCurve && isOctets(key, label.x, jwk.x) && isOctets(key, label.y, jwk.y)
  }
  return isOctets(key, label.modulus, jwk?.n) && isOctets(key, label.exponent, jwk?.e)
}

function isOctets(key: CborMap, member: number, expected: string | undefined): boolean {
  const value = key.get(member)
  return value instanceof Uint8Array && Buffer.from(value).toString('base64url') === expected
}
