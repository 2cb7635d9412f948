import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'authority-root-absent': {
    summary: 'The key of this root is not at hand, so nothing can be made under it here.',
    hint: 'Prepare an authority with a root of its own, or make the certificate where the root’s key is.',
  },
  'authority-standby-absent': {
    summary: 'The configuration names no token for the key of a second signer.',
    hint: 'Nothing was made. Name the token with keys.standby, and start the service anew.',
  },
  'authority-token-failed': {
    summary: 'The token that is to hold the key of the authority did not do what it was asked for.',
    hint: 'No authority was changed. See that the token is there and has room; the facts say what it answered.',
    source: 'PKCS #11 v3.0 §5.1',
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
