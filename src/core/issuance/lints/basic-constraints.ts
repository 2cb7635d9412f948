import { extensionIds } from '../extension-name.ts'
import type { CertificateLint } from '../lint.ts'

/** Critical, a CA or none as was promised, with the path length that was promised. */
export const basicConstraints: CertificateLint = {
  code: 'lint-basic-constraints',
  summary: 'The basic constraints are not critical or not those that were promised.',
  source: 'RFC 5280 §4.2.1.9',
  find: (certificate, { authority }) => {
    const found = certificate.fields.extensions.basicConstraints
    const isPromised =
      found?.isAuthority === (authority !== undefined) &&
      found.pathLength === authority?.pathLength &&
      certificate.isCritical(extensionIds.basicConstraints)
    return isPromised ? undefined : found === undefined ? 'none' : JSON.stringify(found)
  },
}
