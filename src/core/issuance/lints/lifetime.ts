import type { CertificateLint } from '../lint.ts'

/** From notBefore through the last second that is still good, no second more than the profile allows. */
export const lifetime: CertificateLint = {
  code: 'lint-lifetime',
  summary: 'The certificate lives longer than its profile allows, or not at all.',
  source: 'ca/profiles; RFC 5280 §4.1.2.5 (both ends count)',
  find: ({ fields: { notBefore, notAfter } }, { maxLifetimeSeconds }) => {
    const seconds = (notAfter - notBefore) / 1000 + 1
    return seconds > 1 && seconds <= maxLifetimeSeconds ? undefined : `${seconds} seconds`
  },
}
