import type { ErrorRow } from '../coded-error.ts'

const admit =
  'Admit the root of this manufacturer, and supply the intermediate certificates below it.'
const unfit = 'Ask the manufacturer; a certificate authority like this is not relied on.'

/** The rules of a certification path; each refusal names the one that was broken (RFC 5280 §6.1). */
export const pathRows = {
  'path-issuer': {
    summary: 'No path leads from the certificate to an admitted trust anchor.',
    hint: admit,
    source: 'RFC 5280 §6.1; verification E1',
  },
  'path-budget': {
    summary: 'The supplied certificates allow more paths than are tried.',
    hint: 'Supply only the certificates between this one and its root.',
    source: 'RFC 5280 §8; verification P4',
  },
  'path-algorithm': {
    summary: 'A certificate of the path is signed with an algorithm that is not accepted.',
    hint: 'SHA-1 and unknown algorithms are refused; ask the manufacturer for a certificate signed with SHA-256 or stronger.',
    source: 'NIST SP 800-131A r2 §3; verification E11, A1',
  },
  'path-key': {
    summary:
      'A certificate authority of the path has a key that is too weak or of an unsupported kind.',
    hint: unfit,
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification E11',
  },
  'path-signature': {
    summary: 'A certificate of the path is not signed by the key of its issuer.',
    hint: admit,
    source: 'RFC 5280 §6.1.3 (a)(1); verification E1',
  },
  'path-authority': {
    summary: 'A certificate of the path was issued by something that is no certificate authority.',
    hint: unfit,
    source: 'RFC 5280 §4.2.1.9, §6.1.4 (k); verification E1',
  },
  'path-key-usage': {
    summary: 'A certificate authority of the path may not sign certificates.',
    hint: unfit,
    source: 'RFC 5280 §4.2.1.3, §6.1.4 (n); verification E1',
  },
  'path-extension': {
    summary:
      'A certificate of the path has a critical extension that is not known, or lacks one it must have.',
    hint: unfit,
    source: 'RFC 5280 §4.2, §6.1.4 (o); verification E5',
  },
  'path-validity': {
    summary: 'A certificate of the path is not valid at this time.',
    hint: 'Supply the intermediate certificate that is valid now, and look at the clock.',
    source: 'RFC 5280 §6.1.3 (a)(2); verification E1, E13',
  },
  'path-encoding': {
    summary:
      'A certificate of the path departs from DER or the profile in a way not known of its manufacturer.',
    hint: unfit,
    source: 'X.690 §11; RFC 5280 §4.2.1.1, §4.2.1.2; verification P8, E8',
  },
  'path-length': {
    summary: 'The path is longer than one of its authorities or the limit of this service allows.',
    hint: unfit,
    source: 'RFC 5280 §4.2.1.9, §6.1.4 (l), (m); verification E1',
  },
  'path-name-constraints': {
    summary: 'A name in the path lies outside what an authority above it may issue for.',
    hint: unfit,
    source: 'RFC 5280 §4.2.1.10, §6.1.3 (b), (c)',
  },
} as const satisfies Record<string, ErrorRow & { readonly source: string }>

export type PathCode = keyof typeof pathRows
