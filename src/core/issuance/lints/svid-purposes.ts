import { hasLeafPurposes } from '../../spiffe/svid-leaf.ts'
import type { CertificateLint } from '../lint.ts'

/** A leaf that names purposes names both, of servers and of clients. */
export const svidPurposes: CertificateLint = {
  code: 'lint-svid-purposes',
  summary: 'The purposes do not hold those of both servers and clients.',
  source: 'X509-SVID §4.4',
  find: (certificate, { svid, authority }) => {
    if (svid === undefined || authority !== undefined) return undefined
    const { extendedKeyUsage: found = [] } = certificate.fields.extensions
    return hasLeafPurposes(certificate) ? undefined : found.join(' ')
  },
}
