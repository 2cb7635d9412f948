import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const hint =
  'Nothing was signed; the list before stays in force. Correct the ceremony; of a service, report this as a fault.'

const rows = {
  'crl-lint-form': {
    summary: 'The revocation list that was made cannot be read again.',
    hint,
    source: 'RFC 5280 §5.1',
  },
  'crl-lint-issuer': {
    summary: 'The revocation list names another issuer or key than its authority.',
    hint,
    source: 'RFC 5280 §5.1.2.3, §5.2.1',
  },
  'crl-lint-time': {
    summary: 'The revocation list is not in force from its time to the next update.',
    hint,
    source: 'RFC 5280 §5.1.2.4, §5.1.2.5',
  },
  'crl-lint-number': {
    summary: 'The revocation list has another number than was set aside for it.',
    hint,
    source: 'RFC 5280 §5.2.3',
  },
  'crl-lint-scope': {
    summary: 'The revocation list does not say for which certificates it speaks.',
    hint,
    source: 'RFC 5280 §5.2.5',
  },
  'crl-lint-entries': {
    summary: 'The revocation list does not hold exactly the certificates that were revoked.',
    hint,
    source: 'RFC 5280 §5.1.2.6, §5.3.1',
  },
  'crl-lint-revocation-date': {
    summary:
      'The revocation list says of a certificate that it was revoked after the list was made, or not when.',
    hint,
    source: 'RFC 5280 §5.1.2.4, §5.1.2.6',
  },
} as const satisfies Record<string, ErrorRow>

export type CrlLintCode = keyof typeof rows

/** A list that must not be signed as it is; the service's fault, never a caller's. */
export class CrlLintError extends CodedError<CrlLintCode> {
  constructor(code: CrlLintCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
