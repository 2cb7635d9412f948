import { extensionIds } from '../extension-name.ts'
import type { CertificateLint } from '../lint.ts'

/** Critical, and exactly the usages that were promised. */
export const keyUsage: CertificateLint = {
  code: 'lint-key-usage',
  summary: 'The key usage is not critical or not the one that was promised.',
  source: 'RFC 5280 §4.2.1.3',
  find: (certificate, terms) => {
    const found = certificate.fields.extensions.keyUsage
    const isPromised = found === terms.keyUsage && certificate.isCritical(extensionIds.keyUsage)
    return isPromised ? undefined : `bits ${found ?? 'none'}`
  },
}
