import { hexOf, isSameBytes, type FormLint } from '../lint.ts'

/** The key is, byte for byte, the one that was proven. */
export const subjectKey: FormLint = {
  code: 'lint-subject-key',
  summary: 'The key in the certificate is not the key that was proven.',
  source: 'ca/profiles; RFC 5280 §4.1.2.7; verification F1',
  find: ({ spki }, terms) => (isSameBytes(spki, terms.spki) ? undefined : hexOf(spki)),
}
