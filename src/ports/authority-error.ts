import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'authority-root-absent': {
    summary: 'The key of this root is not at hand, so nothing can be made under it here.',
    hint: 'Prepare an authority with a root of its own, or make the certificate where the root’s key is.',
  },
  'authority-key-place': {
    summary:
      'The issuing key of this service lives in hardware, and this version makes no second one there.',
    hint: 'Nothing was made. An authority whose key is in hardware cannot be followed by another one yet.',
  },
  'authority-key-unusable': {
    summary: 'The key of an authority is not that of its certificate, or not on P-256 or P-384.',
    hint: 'Put the right key in its place, or prepare and activate another authority.',
  },
} as const satisfies Record<string, ErrorRow>

/** The key of an authority that cannot be used. */
export class AuthorityKeyError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
