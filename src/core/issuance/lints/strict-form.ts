import type { CertificateLint } from '../lint.ts'

/** DER without any of the deviations that are tolerated of others. */
export const strictForm: CertificateLint = {
  code: 'lint-strict-form',
  summary: 'The certificate is not strict DER of version 3.',
  source: 'RFC 5280 §4.1; X.690 §11',
  find: certificate => {
    const deviations = [...certificate.fields.deviations].join(', ')
    return deviations === '' ? undefined : deviations
  },
}
