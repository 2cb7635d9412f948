import { hexOf, isSameBytes, type CertificateLint } from '../lint.ts'

/** Names the issuer's key by its subject key identifier and by nothing else. */
export const authorityKeyIdentifier: CertificateLint = {
  code: 'lint-authority-key-identifier',
  summary: 'The authority key identifier is not the key identifier of the issuer.',
  source: 'RFC 5280 §4.2.1.1',
  find: ({ fields }, terms) => {
    const identifier = fields.extensions.authorityKeyIdentifier
    const found = identifier?.keyIdentifier ?? Uint8Array.of()
    const isSame = isSameBytes(found, terms.issuer.keyIdentifier) && identifier?.hasIssuer === false
    return isSame ? undefined : hexOf(found) || 'none'
  },
}
