import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'spiffe-id-malformed': {
    summary: 'This is not a SPIFFE ID.',
    hint: 'Write spiffe://<trust domain>/<path>, lower-case domain, path segments of letters, digits, dot, dash and underscore.',
    source: 'SPIFFE-ID §2',
  },
} as const satisfies Record<string, ErrorRow>

/** Thrown by {@link parseSpiffeId}. */
export class SpiffeError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** A workload's name: trust domain and the path segments below it. */
export interface SpiffeId {
  readonly trustDomain: string
  readonly segments: readonly string[]
}

const trustDomainPattern = /^[a-z0-9._-]{1,255}$/
const segmentPattern = /^[A-Za-z0-9._-]+$/
const maxLength = 2048

/** True for a name that may stand behind `spiffe://` (SPIFFE-ID §2.1). */
export function isTrustDomain(text: string): boolean {
  return trustDomainPattern.test(text)
}

function isSegment(text: string): boolean {
  return segmentPattern.test(text) && text !== '.' && text !== '..'
}

/**
 * Reads a SPIFFE ID with at least one path segment, the form a workload carries.
 *
 * @throws SpiffeError `spiffe-id-malformed`
 * @see SPIFFE-ID §2, X509-SVID §2
 */
export function parseSpiffeId(text: string): SpiffeId {
  const refuse = (): SpiffeError =>
    new SpiffeError('spiffe-id-malformed', { found: text.slice(0, 80) })
  if (text.length > maxLength || !text.startsWith('spiffe://')) throw refuse()
  const [trustDomain = '', ...segments] = text.slice('spiffe://'.length).split('/')
  if (!isTrustDomain(trustDomain) || segments.length === 0) throw refuse()
  if (!segments.every(isSegment)) throw refuse()
  return { trustDomain, segments }
}

/** The text form. Throws `TypeError` when a part could not be read back. */
export function encodeSpiffeId(id: SpiffeId): string {
  if (!isTrustDomain(id.trustDomain) || id.segments.length === 0 || !id.segments.every(isSegment)) {
    throw new TypeError(`not a SPIFFE ID: ${id.trustDomain}/${id.segments.join('/')}`)
  }
  return `spiffe://${id.trustDomain}/${id.segments.join('/')}`
}
