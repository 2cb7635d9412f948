import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { DerError } from '../der/error.ts'

const rows = {
  'certificate-malformed': {
    summary: 'The certificate cannot be read.',
    hint: 'Send one X.509 certificate of version 3 in DER, with nothing after it.',
    source: 'RFC 5280 §4.1',
  },
  'crl-malformed': {
    summary: 'The certificate revocation list cannot be read.',
    hint: 'Load one complete list of version 2 in DER; delta and indirect lists are not read.',
    source: 'RFC 5280 §5.1',
  },
  'ocsp-malformed': {
    summary: 'The OCSP response cannot be read.',
    hint: 'Load one successful basic response in DER.',
    source: 'RFC 6960 §4.2.1',
  },
  'ocsp-request-malformed': {
    summary: 'The OCSP request cannot be read.',
    hint: 'Send one OCSPRequest of version 1 in DER, with at most 32 certificates named by SHA-1 or SHA-256.',
    source: 'RFC 6960 §4.1, RFC 9654 §2.1',
  },
} as const satisfies Record<string, ErrorRow>

export type X509ErrorCode = keyof typeof rows

/** A document of X.509 that cannot be read. */
export class X509Error extends CodedError<X509ErrorCode> {
  constructor(code: X509ErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** Runs a parser; a DerError of it becomes an X509Error with this code. */
export function readAs<T>(code: X509ErrorCode, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    const detail = [
      cause.message,
      cause.expected === undefined ? '' : `Expected ${cause.expected}.`,
    ]
    throw new X509Error(code, { found: detail.filter(Boolean).join(' '), cause })
  }
}
