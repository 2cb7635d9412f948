import { keyUsages, type Certificate } from './certificate.ts'
import type { CertificateList } from './crl.ts'
import { isSameName } from './name.ts'
import type { OcspResponse } from './ocsp.ts'
import { commonViolation, keyViolation } from './path-checks.ts'
import { isSignedWith } from './signature-algorithm.ts'
import type { SignedDocument } from './signed-document.ts'

/** What is said of a list or response that is not about the certificates in question. */
export const anothers = 'of another issuer'

const ocspSigning = '1.3.6.1.5.5.7.3.9'

/** Why a list is not the word of an authority that has its issuer's name; undefined where it is. */
export function listFlaw(list: CertificateList, issuer: Certificate): string | undefined {
  const { subjectKeyIdentifier, keyUsage } = issuer.fields.extensions
  const named = list.authorityKeyIdentifier
  if (named !== undefined && subjectKeyIdentifier !== undefined) {
    if (Buffer.compare(named, subjectKeyIdentifier) !== 0) return anothers
  }
  if (keyUsage !== undefined && (keyUsage & keyUsages.cRLSign) === 0) {
    return 'a list of an issuer that may not sign lists'
  }
  return isSignedBy(list, issuer) ? undefined : 'a list that the issuer did not sign'
}

/** The issuer itself, or whoever it certified for this, directly (RFC 6960 §4.2.2.2). */
export function isAnsweredFor(response: OcspResponse, issuer: Certificate, time: number): boolean {
  if (isSignedBy(response, issuer)) return true
  return response.certificates.some(
    delegate => isDelegate(delegate, issuer, time) && isSignedBy(response, delegate),
  )
}

function isDelegate(delegate: Certificate, issuer: Certificate, time: number): boolean {
  const { extendedKeyUsage = [], keyUsage } = delegate.fields.extensions
  return (
    isSameName(delegate.fields.issuer, issuer.fields.subject) &&
    extendedKeyUsage.includes(ocspSigning) &&
    (keyUsage === undefined || (keyUsage & keyUsages.digitalSignature) !== 0) &&
    commonViolation(delegate, time) === undefined &&
    isSignedBy(delegate.fields, issuer)
  )
}

/** Whether the key of a certificate signed a document; who may sign what is another question. */
export function isSignedBy(
  { algorithm, signed, signature }: SignedDocument,
  signer: Certificate,
): boolean {
  if (algorithm === undefined || signer.key === undefined) return false
  return (
    keyViolation(signer) === undefined && isSignedWith(algorithm, signer.key, signed, signature)
  )
}
