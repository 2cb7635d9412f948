import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const hint =
  'Send the DER encoding, byte for byte as it was signed; not BER, not PEM, nothing around it.'

const rows = {
  'der-short': {
    summary: 'The encoding ends before its last value does.',
    hint,
    source: 'X.690 §8.1.3',
  },
  'der-trailing': {
    summary: 'There are bytes after the end of the encoding.',
    hint,
    source: 'X.690 §8.1.1.1; verification P1',
  },
  'der-length': {
    summary: 'A length is not encoded in its one definite, shortest form.',
    hint,
    source: 'X.690 §10.1',
  },
  'der-tag': {
    summary: 'Another kind of value stands where the structure has this one.',
    hint,
    source: 'X.690 §8.1.2',
  },
  'der-depth': {
    summary: 'The encoding is nested deeper than any structure here.',
    hint,
    source: 'verification P4',
  },
  'der-value': {
    summary: 'A value is not encoded in its one canonical form, or is out of its range.',
    hint,
    source: 'X.690 §8, §10, §11',
  },
} as const satisfies Record<string, ErrorRow>

/** Bytes that are not the DER structure they should be. */
export class DerError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
