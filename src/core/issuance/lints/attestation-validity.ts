import type { CertificateLint } from '../lint.ts'

/** The last second of the certificate is over when the Attestation Result is. */
export const attestationValidity: CertificateLint = {
  code: 'lint-attestation-validity',
  summary: 'The certificate outlasts the Attestation Result that it rests on.',
  source: 'ca/profiles; RFC 9334 §10; RFC 5280 §4.1.2.5 (both ends count)',
  find: ({ fields: { notAfter } }, { attestation }) =>
    attestation === undefined || notAfter + 1000 <= attestation.expiresAt
      ? undefined
      : new Date(notAfter).toISOString(),
}
