import { keyUsages } from '../../x509/certificate.ts'
import { extensionIds } from '../extension-name.ts'
import type { CertificateLint } from '../lint.ts'

const authorityBits = keyUsages.keyCertSign | keyUsages.cRLSign

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
        ? (usage & keyUsages.digitalSignature) !== 0 && (usage & authorityBits) === 0
        : (usage & keyUsages.keyCertSign) !== 0
    return isGood && certificate.isCritical(extensionIds.keyUsage) ? undefined : `bits ${usage}`
  },
}
