import { hexOf, isSameBytes, type FormLint } from '../lint.ts'

/** The algorithm that is signed is the one beside the signature, and the issuer's. */
export const signatureAlgorithm: FormLint = {
  code: 'lint-signature-algorithm',
  summary: 'The signature algorithms in the two places differ, or are not the issuer’s.',
  source: 'RFC 5280 §4.1.1.2, §4.1.2.3',
  find: ({ innerAlgorithm, outerAlgorithm }, terms) =>
    isSameBytes(innerAlgorithm, outerAlgorithm) &&
    isSameBytes(innerAlgorithm, terms.signatureAlgorithm)
      ? undefined
      : `${hexOf(innerAlgorithm)} and ${hexOf(outerAlgorithm)}`,
}
