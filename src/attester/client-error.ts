import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'service-unreachable': {
    summary: 'The service does not answer at this address.',
    hint: 'See that it runs (`assay serve`) and that this machine reaches it.',
  },
  'service-slow': {
    summary: 'The service did not answer in time.',
    hint: 'Try again; if it happens again, look at the log of the service.',
  },
  'service-fingerprint': {
    summary: 'No certificate in the chain of this server has the pinned fingerprint.',
    hint: 'Compare the fingerprint with the one that `assay serve` prints; if it is right, something else answers at this address.',
    source: 'RFC 9525 §6.1',
  },
  'service-untrusted': {
    summary: 'The certificate of this server does not stand under the pinned root.',
    hint: 'Something else than the service answers at this address, or it is a service made anew: ask its operator for the fingerprint.',
    source: 'RFC 5280 §6.1',
  },
  'service-name': {
    summary: 'The certificate of this server is for another name.',
    hint: 'Use the name that the service was initialised with as its issuer.',
    source: 'RFC 9525 §6.3',
  },
  'service-tls': {
    summary: 'No TLS 1.3 connection came about with this server.',
    hint: 'See that the address is that of the service itself: TLS ends there and nowhere before.',
    source: 'RFC 8446 §4.1.3',
  },
  'service-answer': {
    summary: 'The answer of the service cannot be read.',
    hint: 'See that the address is that of the service and that client and service are of the same version.',
  },
  'service-address': {
    summary: 'This is not the address of a service.',
    hint: 'Give an https URL without path, such as https://assay.example:8443.',
    source: 'RFC 8414 §2',
  },
  'fingerprint-malformed': {
    summary: 'This is not a fingerprint.',
    hint: 'Give sha256: and 64 hexadecimal digits, as `assay init` and `assay serve` print them.',
  },
  'key-absent': {
    summary: 'This call needs a key, and there is none here.',
    hint: 'Run it where an operator, host or agent of the service is set up, or name its directory with --home.',
  },
} as const satisfies Record<string, ErrorRow>

export type ClientErrorCode = keyof typeof rows

/** What keeps a client from talking to the service. */
export class ClientError extends CodedError<ClientErrorCode> {
  constructor(code: ClientErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
