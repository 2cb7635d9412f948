import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'x509-svid-malformed': {
    summary: 'This is not an X509-SVID.',
    hint: 'Show the certificate chain as the issuer gave it, the own certificate first.',
    source: 'X509-SVID §2, §3',
  },
  'x509-svid-name': {
    summary: 'The certificate does not carry exactly one URI that is a SPIFFE ID with a path.',
    hint: 'Show the certificate of a workload; a certificate that signs others identifies nobody.',
    source: 'X509-SVID §2, §5.2',
  },
  'x509-svid-usage': {
    summary: 'The certificate may issue others, or its key may not be used to authenticate.',
    hint: 'Show the certificate of a workload; a certificate that signs others identifies nobody.',
    source: 'X509-SVID §4.1, §4.3, §4.4, §5.2',
  },
  'svid-domain': {
    summary: 'The SVID is of another trust domain than the bundle.',
    hint: 'Hold it against the bundle of its own trust domain; bundles are never merged.',
    source: 'SPIFFE Federation §4.2',
  },
  'x509-svid-path': {
    summary: 'No path that holds leads from the certificate to an authority of the trust bundle.',
    hint: 'Fetch the bundle of that trust domain anew, and show the whole chain.',
    source: 'X509-SVID §5.1; RFC 5280 §6.1',
  },
} as const satisfies Record<string, ErrorRow>

/** An SVID that a relying party does not believe. */
export class SvidError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
