import { keyIdentifierOf } from '../extension.ts'
import { hexOf, isSameBytes, type CertificateLint } from '../lint.ts'

/** A digest of the subject's own key, or what its certificate by another issuer calls it. */
export const subjectKeyIdentifier: CertificateLint = {
  code: 'lint-subject-key-identifier',
  summary: 'The subject key identifier is not that of the key.',
  source: 'RFC 5280 §4.2.1.2; RFC 7093 §2',
  find: ({ fields }, terms) => {
    const found = fields.extensions.subjectKeyIdentifier ?? Uint8Array.of()
    return isSameBytes(found, terms.subjectKeyIdentifier ?? keyIdentifierOf(terms.spki))
      ? undefined
      : hexOf(found) || 'none'
  },
}
