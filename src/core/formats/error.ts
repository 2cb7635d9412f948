import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'evidence-format-unknown': {
    summary: 'The Evidence is of a format that this verifier does not know.',
    hint: 'Use a format that the documentation lists; one that is not known is never taken for another.',
    source: 'RFC 9334 §8.1; verification A4',
  },
  'evidence-unreadable': {
    summary: 'The Evidence is not what its format says.',
    hint: 'Have the host attest again; the kept bytes are damaged or of another version.',
    source: 'RFC 9999 §3; verification P1',
  },
} as const satisfies Record<string, ErrorRow>

/** Evidence that no format takes. */
export class EvidenceFormatError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
