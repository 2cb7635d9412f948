import { keyUsages } from '../../x509/certificate.ts'
import type { CertificateLint } from '../lint.ts'

/** An authority signs certificates and revocation lists, and nothing else; who is none signs neither. */
export const authorityUsage: CertificateLint = {
  code: 'lint-authority-usage',
  summary: 'The key of an authority is for more or less than certificates and revocation lists.',
  source: 'RFC 5280 §4.2.1.3, §4.2.1.9; CA/Browser Forum BR 2.0.1 §7.1.2.10.7',
  find: ({ fields }, { authority }) => {
    const both = keyUsages.keyCertSign | keyUsages.cRLSign
    const usage = fields.extensions.keyUsage ?? 0
    const isGood = authority === undefined ? (usage & both) === 0 : usage === both
    return isGood ? undefined : `bits ${usage}`
  },
}
