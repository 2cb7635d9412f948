import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'outbound-location': {
    summary: 'Nothing is fetched from this location.',
    hint: 'Name its host under endorsements.fetch.hosts of the configuration, or of a bundle endpoint with its port under federation.hosts, if it is to be asked.',
    source: 'RFC 5280 §8; verification E10',
  },
  'outbound-address': {
    summary: 'The name of the host leads to an address inside a network, not on the Internet.',
    hint: 'See that the name server answers truly; internal hosts are not asked for what issuers publish, and for trust bundles only with federation.privateAddresses.',
    source: 'RFC 6890 §2.2; verification E10',
  },
  'outbound-redirect': {
    summary: 'The host sent the request on to where nothing is fetched, or too often.',
    hint: 'Name the last host as the first one is named in the configuration, if it is to be asked.',
    source: 'RFC 9110 §15.4; verification E10',
  },
  'outbound-too-large': {
    summary: 'What the host sent is larger than anything that is fetched.',
    hint: 'Bring it in by hand, with `assay anchor import` or `assay anchor crl add`.',
    source: 'verification E10',
  },
  'outbound-slow': {
    summary: 'The host did not answer to the end in time.',
    hint: 'Try again later, or raise endorsements.fetch.timeoutSeconds.',
    source: 'verification E10',
  },
  'outbound-answer': {
    summary: 'The host answered with something else than the bytes that were asked for.',
    hint: 'Ask the issuer where its certificates and lists are, and bring them in by hand.',
    source: 'RFC 5280 §4.2.2.1',
  },
  'outbound-identity': {
    summary: 'The server did not show that it is the one that is meant.',
    hint: 'Ask whoever runs it, over another channel, what certificate it has; nothing that it sent was read.',
    source: 'RFC 9525 §6; SPIFFE Federation §5.2',
  },
  'outbound-unreachable': {
    summary: 'The host cannot be reached.',
    hint: 'See that this machine may reach it, or bring what it has in by hand.',
  },
  'outbound-crowded': {
    summary: 'As much is being fetched as may be at once.',
    hint: 'Try again in a moment.',
  },
} as const satisfies Record<string, ErrorRow>

export type OutboundErrorCode = keyof typeof rows

/** Something that was not fetched. */
export class OutboundError extends CodedError<OutboundErrorCode> {
  constructor(code: OutboundErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
