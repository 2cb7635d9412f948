import { TPM_ALG } from '../tpm/algorithm.ts'
import type { TpmtPublic } from '../tpm/public.ts'
import { isStrongHash } from './public-area.ts'

/** What a key has that was born in its TPM, stays there and signs what it is given, and nothing else (verification F4). */
export const signingKeyRule = {
  required: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'],
  forbidden: ['restricted', 'decrypt', 'stClear', 'encryptedDuplication', 'x509sign'],
} as const

/** Which of them goes with which key, the parser of public areas knows. */
const schemes: readonly number[] = [TPM_ALG.ECDSA, TPM_ALG.RSASSA, TPM_ALG.RSAPSS]

/**
 * Whether an area has a scheme that is left open, or is one of its type with a strong hash. A signing key derives and
 * enciphers nothing.
 *
 * @see TPM 2.0 Part 2 r01.59 §12.2.3.5, §12.2.3.6; verification F8, K5
 */
export function hasSigningScheme(area: TpmtPublic): boolean {
  const { scheme, symmetric, type } = area
  if (symmetric !== undefined || (type === TPM_ALG.ECC && area.kdf !== undefined)) return false
  if (scheme === undefined) return true
  return schemes.includes(scheme.scheme) && isStrongHash(scheme.hash)
}
