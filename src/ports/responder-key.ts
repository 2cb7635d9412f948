import type { CertificateSigner } from '../core/issuance/credential.ts'

/** A key that answers OCSP requests. */
export interface ResponderKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly signer: CertificateSigner
}
