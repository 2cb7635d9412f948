import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { lengthPrefixed } from '../bytes/encode.ts'

/** What a key is proven for; a proof for one purpose is none for another. */
export type KeyPurpose = 'host' | 'agent' | 'renewal'

/** What a certification is bound to. Host and service compute the same from what each of them knows. */
export interface CertifyContext {
  /** What for: a host's key at its enrolment, a first or new key of an agent, or the renewal of a certificate. */
  readonly purpose: KeyPurpose
  /** The service's issuer URL. */
  readonly audience: string
  /** Enrolment id, agent id, or of a renewal the id of the host or agent. */
  readonly contextId: string
  readonly nonce: Uint8Array
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
  /** Name of the subject key. */
  readonly subjectName: Uint8Array
}

/** qualifyingData of TPM2_Certify, 32 bytes (TPM 2.0 Part 3 r01.59 §18.2). */
export function certifyBinding(context: CertifyContext): Uint8Array {
  const { purpose, audience, contextId, nonce, csr, subjectName } = context
  return sha256(
    lengthPrefixed([
      'assay/certify/v1',
      purpose,
      audience,
      contextId,
      nonce,
      sha256(csr),
      subjectName,
    ]),
  )
}

/** What a quote and an activation are bound to. */
export interface EnrollmentContext {
  readonly audience: string
  readonly enrollmentId: string
  readonly nonce: Uint8Array
  /** Names of the two keys. */
  readonly endorsementName: Uint8Array
  readonly attestationName: Uint8Array
}

/** qualifyingData of TPM2_Quote, 32 bytes (TPM 2.0 Part 3 r01.59 §18.4). */
export function quoteBinding(context: EnrollmentContext): Uint8Array {
  return sha256(lengthPrefixed(['assay/quote/v1', ...enrollmentFields(context)]))
}

/**
 * The host's proof that it recovered the secret: an HMAC by it over everything the answer consists of, so that no
 * part can be exchanged for one of another enrolment. 32 bytes.
 */
export function activationProof(
  secret: Uint8Array,
  context: EnrollmentContext,
  answer: { readonly quote: Uint8Array; readonly certify: Uint8Array; readonly csr: Uint8Array },
): Uint8Array {
  const fields = [
    ...enrollmentFields(context),
    sha256(answer.quote),
    sha256(answer.certify),
    sha256(answer.csr),
  ]
  return createHmac('sha256', createSecretKey(secret))
    .update(lengthPrefixed(['assay/activation/v1', ...fields]))
    .digest()
}

function enrollmentFields(context: EnrollmentContext): (Uint8Array | string)[] {
  const { audience, enrollmentId, nonce, endorsementName, attestationName } = context
  return [audience, enrollmentId, nonce, endorsementName, attestationName]
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
