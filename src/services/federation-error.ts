import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'federation-exists': {
    summary: 'The bundle of this trust domain is followed already.',
    hint: 'See it with `assay federation show`; remove it before it is followed elsewhere.',
    source: 'SPIFFE Federation §6.1',
  },
  'federation-unknown': {
    summary: 'No bundle of this trust domain is followed.',
    hint: 'See those that are with `assay federation list`.',
  },
  'federation-own': {
    summary: 'This is the trust domain of this service itself.',
    hint: 'Its bundle is at /v1/bundle, and is changed by `assay ca rotate` alone.',
    source: 'SPIFFE Federation §7.2',
  },
  'federation-parameters': {
    summary: 'The parameters of the endpoint do not go together.',
    hint: 'https_web takes none but the URL. https_spiffe takes the SPIFFE ID of the endpoint, and the bundle to begin with where that is in the same trust domain.',
    source: 'SPIFFE Federation §5.2.1.2, §5.2.2.2',
  },
  'federation-endpoint-unknown': {
    summary: 'There is no bundle by which the endpoint could be verified.',
    hint: 'Follow the trust domain of the endpoint’s own SPIFFE ID first.',
    source: 'SPIFFE Federation §5.2.2.4',
  },
  'federation-closed': {
    summary: 'This service asks no bundle endpoints.',
    hint: 'Name the host, with its port, under federation.hosts of the configuration, and start the service again.',
    source: 'SPIFFE Federation §7.1',
  },
  'federation-not-followed': {
    summary: 'The bundle was not taken from its endpoint; the one before it stays.',
    hint: 'The fact above says why. Ask whoever runs that trust domain before you begin anew with another bundle.',
    source: 'SPIFFE Federation §6.2',
  },
  'federation-superseded': {
    summary: 'Another refresh of this bundle, or its end, was faster.',
    hint: 'See what is kept now with `assay federation show`.',
  },
  'federation-bundle-absent': {
    summary: 'No bundle of this trust domain is kept.',
    hint: 'Nothing of it is to be believed until there is one: see GET /v1/bundles.',
    source: 'SPIFFE Trust Domain and Bundle §3',
  },
} as const satisfies Record<string, ErrorRow>

/** What is wrong with following another trust domain. */
export class FederationError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
