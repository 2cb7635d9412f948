import { hexOf, isSameBytes, type FormLint } from '../lint.ts'

/** Byte for byte the subject of the issuer's certificate: many verifiers compare nothing else. */
export const issuerName: FormLint = {
  code: 'lint-issuer-name',
  summary: 'The issuer is not, byte for byte, the subject of the issuing certificate.',
  source: 'RFC 5280 §4.1.2.4, §7.1',
  find: ({ issuer }, terms) => (isSameBytes(issuer, terms.issuer.name) ? undefined : hexOf(issuer)),
}
