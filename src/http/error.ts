import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'body-too-large': {
    summary: 'The request body is larger than this endpoint reads.',
    hint: 'Send less; evidence of a host fits in 8 MiB, a policy in 4 MiB, everything else in 64 KiB.',
    source: 'RFC 9110 §15.5.14',
  },
  'body-type': {
    summary: 'The request body is of a type that this endpoint does not read.',
    hint: 'Send application/json, or application/x-www-form-urlencoded to the OAuth endpoints.',
    source: 'RFC 9110 §15.5.16',
  },
  'body-crowded': {
    summary: 'More large bodies are being read than fit into memory.',
    hint: 'Nothing was changed; try again in a moment.',
    source: 'RFC 9110 §15.6.4',
  },
  'body-malformed': {
    summary: 'The request body cannot be read.',
    hint: 'Send one well-formed JSON object, or form parameters that occur once each.',
  },
  'body-incomplete': {
    summary: 'The request ended before its body was complete.',
    hint: 'Send it again.',
  },
  'too-many-requests': {
    summary: 'More was asked for from this address than one minute takes.',
    hint: 'Wait as long as Retry-After says; for a large fleet, have the operator raise attestation.requestsPerMinute or ocsp.signaturesPerMinute.',
    source: 'RFC 6585 §4',
  },
  'not-found': {
    summary: 'There is nothing at this address.',
    hint: 'The OpenAPI document at /openapi.json lists the addresses.',
  },
  'method-not-allowed': {
    summary: 'This address does not take that method.',
    hint: 'The Allow header names the methods it takes.',
  },
  'not-acceptable': {
    summary: 'This address has nothing in a form that the request accepts.',
    hint: 'Accept the media type named here.',
    source: 'RFC 9110 §15.5.7',
  },
  'event-id': {
    summary: 'The header Last-Event-ID is not an id of an event.',
    hint: 'Send the id of the event that you saw last, or none.',
    source: 'HTML Standard §9.2.4',
  },
  'status-time': {
    summary: 'Status lists of another time are not kept.',
    hint: 'Ask without the parameter time.',
    source: 'draft-ietf-oauth-status-list-21 §8.4',
  },
  'internal-error': {
    summary: 'The service failed in a way that it should not.',
    hint: 'Try again; give the instance named here to the operator, who finds it in the log.',
  },
} as const satisfies Record<string, ErrorRow>

/** What goes wrong between the socket and the use case. */
export class HttpError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
