import type { CertificateLint } from '../lint.ts'

/** Within the validity of the issuer: what outlasts it stops to verify before it says so. */
export const issuerValidity: CertificateLint = {
  code: 'lint-issuer-validity',
  summary: 'The certificate begins before its issuer or outlasts it.',
  source: 'ca/profiles; RFC 5280 §6.1.3',
  find: ({ fields }, { issuer }) =>
    fields.notBefore >= issuer.notBefore && fields.notAfter <= issuer.notAfter
      ? undefined
      : `${new Date(fields.notBefore).toISOString()} to ${new Date(fields.notAfter).toISOString()}`,
}
