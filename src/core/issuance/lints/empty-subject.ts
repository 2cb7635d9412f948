import { isEmptyName } from '../../x509/name.ts'
import { extensionIds } from '../extension-name.ts'
import type { CertificateLint } from '../lint.ts'

/** Where the subject is empty the alternative name is the subject, and whoever cannot read it must know. */
export const emptySubject: CertificateLint = {
  code: 'lint-empty-subject',
  summary: 'The subject is empty and the alternative name is missing or not critical.',
  source: 'RFC 5280 §4.2.1.6; X509-SVID §2',
  find: certificate =>
    isEmptyName(certificate.fields.subject) &&
    !certificate.isCritical(extensionIds.subjectAlternativeName)
      ? 'an alternative name that is not critical'
      : undefined,
}
