import { hasLeafUsage } from '../../spiffe/svid-leaf.ts'
import { keyUsages } from '../../x509/certificate.ts'
import { extensionIds } from '../extension-name.ts'
import type { CertificateLint } from '../lint.ts'

/** Critical; a leaf signs with its key and issues nothing, an authority signs certificates. */
export const svidKeyUsage: CertificateLint = {
  code: 'lint-svid-key-usage',
  summary: 'The key usage is not that of an X509-SVID.',
  source: 'X509-SVID §4.3',
  find: (certificate, { svid, authority }) => {
    const usage = certificate.fields.extensions.keyUsage
    if (svid === undefined) return undefined
    if (usage === undefined) return 'none'
    const isGood =
      authority === undefined
        ? hasLeafUsage(certificate)
        : (usage & keyUsages.keyCertSign) !== 0 && certificate.isCritical(extensionIds.keyUsage)
    return isGood ? undefined : `bits ${usage}`
  },
}
