import { CodedError } from '../core/coded-error.ts'
import { TokenError } from '../core/token/error.ts'
import { ResourceError } from './error.ts'

/** A refusal as an HTTP answer. */
export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly headers: Readonly<Record<string, string>>
  /** Problem details (RFC 9457), `application/problem+json`. */
  readonly body: Readonly<Record<string, unknown>>
}

const unavailable = new Set([
  'issuer-unreachable',
  'issuer-answer',
  'status-unknown',
  'replay-memory-full',
])
const forbidden = new Set(['token-scope', 'assurance-too-low'])

/**
 * The answer for what {@link ResourceVerifier.verify} threw; undefined for anything else, which is a failure of the
 * resource itself.
 *
 * @param nonce the verifier's own, where it asks for one
 * @see RFC 6750 §3, RFC 9449 §7.1 and §9, RFC 9457 §3
 */
export function refusalOf(error: unknown, nonce?: string): Refusal | undefined {
  if (!(error instanceof TokenError) && !(error instanceof ResourceError)) return undefined
  const status = unavailable.has(error.code) ? 503 : forbidden.has(error.code) ? 403 : 401
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(status === 503
        ? { 'Retry-After': '1' }
        : { 'WWW-Authenticate': `DPoP error="${oauthCode(error)}", algs="ES256 ES384"` }),
      ...(nonce === undefined ? {} : { 'DPoP-Nonce': nonce }),
    },
    body: problemOf(error, status),
  }
}

function oauthCode({ code }: CodedError): string {
  if (code === 'dpop-nonce') return 'use_dpop_nonce'
  if (code === 'token-scope') return 'insufficient_scope'
  return code.startsWith('dpop-') ? 'invalid_dpop_proof' : 'invalid_token'
}

function problemOf(error: CodedError, status: number): Record<string, unknown> {
  const { code, message, hint, source, expected, found } = error
  const facts = { expected, found, source }
  return {
    type: `urn:assay:problem:${code}`,
    title: message,
    status,
    code,
    hint,
    ...Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)),
  }
}
