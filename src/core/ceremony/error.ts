import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const unsigned = 'Nothing was signed.'

const rows = {
  'ceremony-malformed': {
    summary: 'The ceremony file cannot be used as it is.',
    hint: 'Correct the member named above; ca/ceremony has an example of each kind. Nothing was read besides.',
    source: 'RFC 8259 §4; ca/ceremony',
  },
  'ceremony-key': {
    summary: 'The key is not one that an authority may have.',
    hint: `Make a key on P-384 or P-256, and ask with that. ${unsigned}`,
    source: 'RFC 5480 §2.1.1; NIST SP 800-57 Part 1 r5 §5.6.1',
  },
  'ceremony-differs': {
    summary: 'A file is not the one that the ceremony was reviewed for.',
    hint: `Compare the digest with whoever sent the file, over another channel. ${unsigned}`,
    source: 'ca/ceremony',
  },
  'ceremony-issuer': {
    summary: 'This issuer cannot sign what the ceremony asks for.',
    hint: `Name the certificate of an authority of this trust domain that is in force, and its own key. ${unsigned}`,
    source: 'RFC 5280 §4.2.1.3, §4.2.1.9; X509-SVID §4.1',
  },
  'ceremony-above': {
    summary: 'The issuer’s file holds a certificate that is not above the one before it.',
    hint: `Leave the issuer’s own certificate first, then those above it, each signed by the next. ${unsigned}`,
    source: 'RFC 5280 §6.1',
  },
  'ceremony-certified': {
    summary: 'The certificate is not that of an authority which can be certified across.',
    hint: `Name the certificate of an authority of the same trust domain that is in force. ${unsigned}`,
    source: 'RFC 5280 §3.2, §4.2.1.9; X509-SVID §4.1',
  },
  'ceremony-time': {
    summary: 'What the ceremony makes would be over already, or does not follow in time.',
    hint: `Look at the clock of this machine, then at the times in the file. ${unsigned}`,
    source: 'RFC 5280 §4.1.2.5, §5.1.2.4, §5.1.2.5',
  },
  'ceremony-list': {
    summary: 'The list does not follow the one before it.',
    hint: `Give it a higher number, and keep every certificate of the list before. ${unsigned}`,
    source: 'RFC 5280 §3.3, §5.2.3',
  },
  'ceremony-revoked': {
    summary: 'A certificate that is to be revoked was not signed by this issuer.',
    hint: `Name a certificate of this issuer, by its file or its serial number. ${unsigned}`,
    source: 'RFC 5280 §5.1.2.6',
  },
  'ceremony-chain': {
    summary: 'These are not the certificates of an issuing authority up to its root.',
    hint: 'Give the chain file of the intermediate’s ceremony: issuing certificate first, root last, nothing besides.',
    source: 'RFC 5280 §6.1',
  },
  'ceremony-output': {
    summary: 'There is a file where the ceremony would write one, or none can be written there.',
    hint: `A ceremony overwrites nothing and makes no folder: make room, or name another place. ${unsigned}`,
  },
  'ceremony-unwritten': {
    summary: 'What the ceremony signed could not be written as a whole.',
    hint: 'Files that are not named are there. Revoke a certificate that is lost by its serial number; a list after a lost one has a higher number. Make room, name a key that was made without make, and begin again.',
  },
} as const satisfies Record<string, ErrorRow>

export type CeremonyErrorCode = keyof typeof rows

/** A ceremony that cannot be held as it is written. */
export class CeremonyError extends CodedError<CeremonyErrorCode> {
  constructor(code: CeremonyErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
