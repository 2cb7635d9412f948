import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'structure-short': {
    summary: 'The structure ends before its last member.',
    hint: 'Send all bytes that the TPM gave.',
    source: 'TPM 2.0 Part 2 r01.59 §4.6; verification P2',
  },
  'structure-trailing': {
    summary: 'There are bytes after the end of the structure.',
    hint: 'Send exactly the bytes that the TPM gave.',
    source: 'TPM 2.0 Part 2 r01.59 §4.6; verification P1',
  },
  'structure-value': {
    summary: 'A member of the structure has a value that is not defined or not supported.',
    hint: 'Send exactly the bytes that the TPM gave; for a newer TPM, ask for support of the value named above.',
    source: 'TPM 2.0 Part 2 r01.59',
  },
} as const satisfies Record<string, ErrorRow>

/** Bytes that are not the structure they should be. */
export class FormatError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** A number as specifications write it. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
