import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'status-list-malformed': {
    summary: 'The status list token cannot be read.',
    hint: 'Fetch it again from the URI that the credential names.',
    source: 'draft-ietf-oauth-status-list-21 §5.1',
  },
  'status-list-signature': {
    summary: 'No known key signed the status list token.',
    hint: 'Refresh the key set of the issuer and fetch the list again.',
    source: 'draft-ietf-oauth-status-list-21 §8.3',
  },
  'status-list-subject': {
    summary: 'The status list token is another list than the one that was asked for.',
    hint: 'Fetch the list from the URI that the credential names.',
    source: 'draft-ietf-oauth-status-list-21 §8.3',
  },
  'status-list-expired': {
    summary: 'The status list token has expired or comes from the future.',
    hint: 'Fetch it again; if it is always old, see whether the issuer still signs lists.',
    source: 'draft-ietf-oauth-status-list-21 §8.3',
  },
  'status-index': {
    summary: 'The credential names a place that the status list does not have.',
    hint: 'Refuse the credential: a list has a place for each that was issued.',
    source: 'draft-ietf-oauth-status-list-21 §8.3',
  },
} as const satisfies Record<string, ErrorRow>

export type StatusErrorCode = keyof typeof rows

/** A status list that says nothing. */
export class StatusError extends CodedError<StatusErrorCode> {
  constructor(code: StatusErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
