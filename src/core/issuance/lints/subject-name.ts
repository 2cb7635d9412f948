import { isEmptyName } from '../../x509/name.ts'
import type { CertificateLint } from '../lint.ts'

const commonNameType = '2.5.4.3'
/** ub-common-name. */
const longest = 64

/** A common name is text of at most 64 characters; an authority has a subject, since it is an issuer. */
export const subjectName: CertificateLint = {
  code: 'lint-subject-name',
  summary: 'The subject cannot be compared or is longer than a name may be.',
  source: 'RFC 5280 §4.1.2.6, appendix A.1 (ub-common-name)',
  find: ({ fields }, { authority }) => {
    if (isEmptyName(fields.subject)) return authority === undefined ? undefined : 'no subject'
    const wrong = fields.subject.relativeNames.flat().find(({ type, text }) => {
      // Code points are the characters of RFC 5280.
      const length = text === undefined ? 0 : Array.from(text).length
      return length === 0 || (type === commonNameType && length > longest)
    })
    return wrong?.type
  },
}
