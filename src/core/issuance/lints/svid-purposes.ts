import { keyPurposes } from '../key-purpose.ts'
import type { CertificateLint } from '../lint.ts'

/** A leaf that names purposes names both, of servers and of clients. */
export const svidPurposes: CertificateLint = {
  code: 'lint-svid-purposes',
  summary: 'The purposes do not hold those of both servers and clients.',
  source: 'X509-SVID §4.4',
  find: ({ fields }, { svid, authority }) => {
    const found = fields.extensions.extendedKeyUsage
    if (svid === undefined || authority !== undefined || found === undefined) return undefined
    const isBoth = [keyPurposes['serverAuth'], keyPurposes['clientAuth']].every(
      purpose => purpose !== undefined && found.includes(purpose),
    )
    return isBoth ? undefined : found.join(' ')
  },
}
