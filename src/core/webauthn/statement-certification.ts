import { createHash } from 'node:crypto'
import { hashAlgorithm } from '../tpm/algorithm.ts'
import { parseTpmsAttest, TPM_ST_ATTEST } from '../tpm/attest.ts'
import { isSignedBy } from '../tpm/signature.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import { requireAttestOf, tpmFactsOf, type TpmFacts } from '../verifier/tpm-attestation.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { TpmStatement } from './attestation-object.ts'
import type { CertifiedKey } from './certified-key.ts'
import { coseAlgorithm, type CoseAlgorithm } from './cose.ts'
import {
  parseStatementSignature,
  signingAreaOf,
  type SignatureForm,
} from './statement-signature.ts'

/** What a statement must have been made for; computed by the caller, none of it from the statement. */
export type StatementBinding =
  /** A new credential: SHA-256 of the client data. Web Authentication Level 2 §5.8.1. */
  | { readonly kind: 'credential'; readonly clientDataHash: Uint8Array }
  /** An ACME challenge: token ‖ "." ‖ thumbprint of the account's key. RFC 8555 §8.1. */
  | { readonly kind: 'key-authorization'; readonly keyAuthorization: string }

/** What the certification in a statement is held to; certificate and key were checked. */
export interface CertificationScope {
  readonly certificate: Certificate
  readonly key: CertifiedKey
  readonly signatureForm: SignatureForm
  readonly binding: StatementBinding
  /** Authenticator data as it came in; empty where the binding is not to a credential. */
  readonly authData: Uint8Array
}

/**
 * Verifies what the TPM said of a key: by the algorithm of the attestation key, over the very bytes, of this key and
 * for this binding.
 *
 * @throws EvidenceError `statement-algorithm`, `statement-attest-malformed`, `statement-signature`, `statement-magic`,
 *   `statement-type`, `statement-name`, `statement-binding`
 * @see Web Authentication Level 2 §8.3; verification F1 to F3, F7
 */
export function verifyStatementCertification(
  checks: CheckRecorder,
  { alg, certInfo, sig }: TpmStatement,
  scope: CertificationScope,
): TpmFacts {
  const algorithm = coseAlgorithm(alg)
  const { key: signer, fields } = scope.certificate
  const area = algorithm === undefined ? undefined : signingAreaOf(fields.publicKey, algorithm)
  if (algorithm === undefined || area === undefined || signer === undefined)
    checks.refuse('statement-algorithm', { found: `${alg}` })
  checks.pass('statement-algorithm', undefined, `${alg}`)
  const { attest, signature } = checks.attempt('statement-attest-malformed', certInfo, () => ({
    attest: parseTpmsAttest(certInfo),
    signature: parseStatementSignature(sig, scope.signatureForm, algorithm),
  }))
  const isSigned = isSignedBy(area, signer, certInfo, signature)
  checks.require(isSigned, 'statement-signature', { bytes: sig })
  requireAttestOf(checks, 'statement', TPM_ST_ATTEST.certify, attest, certInfo)
  const isNamed = isSame(attest.attested.name, scope.key.name)
  checks.require(isNamed, 'statement-name', { bytes: certInfo })
  const isBound = isSame(attest.extraData, qualifyingData(scope, algorithm))
  checks.require(isBound, 'statement-binding', { bytes: certInfo })
  return tpmFactsOf(attest)
}

/** The hash over authenticator and client data is that of the statement's algorithm; ACME clients take SHA-256. */
function qualifyingData(
  { binding, authData }: CertificationScope,
  { hash }: CoseAlgorithm,
): Uint8Array {
  if (binding.kind === 'key-authorization')
    return createHash('sha256').update(binding.keyAuthorization).digest()
  const { name } = hashAlgorithm(hash)
  return createHash(name).update(authData).update(binding.clientDataHash).digest()
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
