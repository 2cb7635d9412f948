import { FormatError } from '../bytes/format-error.ts'
import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readUnsigned } from '../der/value.ts'
import { curves, TPM_ALG } from '../tpm/algorithm.ts'
import { parseTpmtSignature, type SigningArea, type TpmtSignature } from '../tpm/signature.ts'
import type { PublicKey } from '../x509/public-key.ts'
import type { CoseAlgorithm } from './cose.ts'

/**
 * How a signature is encoded: the specification says TPMT_SIGNATURE, authenticators in the field send the bare
 * signature of the algorithm (PKCS #1, or DER for ECDSA). The caller knows who sends; nothing is guessed.
 */
export type SignatureForm = 'tpmt' | 'bare'

/**
 * A signature in one of the two forms.
 *
 * @throws FormatError, DerError
 * @see TPM 2.0 Part 2 r01.59 §11.3.4; Web Authentication Level 2 §6.5.5; verification F7
 */
export function parseStatementSignature(
  bytes: Uint8Array,
  form: SignatureForm,
  { scheme, hash }: CoseAlgorithm,
): TpmtSignature {
  if (form === 'tpmt') return parseTpmtSignature(bytes)
  if (scheme === TPM_ALG.RSASSA || scheme === TPM_ALG.RSAPSS)
    return { algorithm: scheme, hash, value: bytes }
  return parseDer(bytes, TAG.sequence, reader => {
    const r = readUnsigned(reader)
    return { algorithm: TPM_ALG.ECDSA, hash, r, s: readUnsigned(reader) }
  })
}

/** The key of a certificate as one of a TPM that signs by this algorithm; undefined where the two do not go together. */
export function signingAreaOf(
  key: PublicKey,
  { keyType, scheme, hash }: CoseAlgorithm,
): SigningArea | undefined {
  if (key.kind !== keyType) return undefined
  if (key.kind === 'rsa')
    return { type: TPM_ALG.RSA, scheme: { scheme, hash }, modulus: key.modulus }
  const curve = curves.find(({ name }) => name === key.curve)
  /* c8 ignore next -- certificates and TPMs have the same curves here */
  if (curve === undefined) throw new FormatError('structure-value', { found: key.curve })
  return { type: TPM_ALG.ECC, scheme: { scheme, hash }, curveId: curve.id }
}
