import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'issuer-unreachable': {
    summary: 'The issuer cannot be asked for its keys or its status list.',
    hint: 'See that this machine reaches the issuer and trusts its certificate; requests are refused meanwhile.',
  },
  'issuer-answer': {
    summary: 'The issuer gave an answer that cannot be used.',
    hint: 'Compare the issuer in the options with the one in its metadata, letter by letter.',
    source: 'RFC 8414 §3.3',
  },
  'status-unknown': {
    summary: 'Whether the access token is still good cannot be told.',
    hint: 'Try again; a token of this issuer names a status list, and the list must be fresh.',
    source: 'draft-ietf-oauth-status-list-21 §8.3',
  },
  'token-revoked': {
    summary: 'The access token was revoked, or the agent or host that it was issued to.',
    hint: 'Ask the operator why; a revoked identity does not come back.',
    source: 'draft-ietf-oauth-status-list-21 §7',
  },
  'assurance-too-low': {
    summary: 'The hardware behind this token vouches for less than this resource asks for.',
    hint: 'Call from a host with stronger hardware, or lower the floor of the resource.',
  },
  'replay-memory-full': {
    summary: 'More proofs are remembered than the resource may hold.',
    hint: 'Try again in two minutes; give the verifier a larger or a shared memory.',
    source: 'RFC 9449 §11.1',
  },
} as const satisfies Record<string, ErrorRow>

export type ResourceErrorCode = keyof typeof rows

/** Why a relying party lets nobody in: what the issuer said, or did not say. */
export class ResourceError extends CodedError<ResourceErrorCode> {
  constructor(code: ResourceErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
