import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import { TokenError } from './error.ts'
import { isTooEarly } from './not-before.ts'
import type { ProofKey } from './proof-key.ts'

/** The one value of `client_assertion_type` (RFC 7523 §2.2). */
export const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const maxLifetimeSeconds = 300
const skewSeconds = 10

/** What the token endpoint knows before it reads the assertion. */
export interface AssertionExpectations {
  /** The client whose key this is; `iss` and `sub` must name it. */
  readonly clientId: string
  readonly issuer: string
  /** The client's attested key. */
  readonly key: ProofKey
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * Verifies a `private_key_jwt` assertion and gives its replay key, to be consumed once.
 *
 * @throws TokenError `assertion-malformed`, `assertion-signature`, `assertion-audience`, `assertion-time`
 * @see RFC 7523 §3, RFC 7521 §5.2
 */
export function verifyClientAssertion(
  assertion: string,
  expected: AssertionExpectations,
): { readonly key: string; readonly expiresAt: number } {
  const jws = verifySignature(assertion, expected.key)
  const { iss, sub, aud, jti, exp } = jws.payload
  if (iss !== expected.clientId || sub !== expected.clientId) {
    throw new TokenError('assertion-malformed', { expected: `iss and sub ${expected.clientId}` })
  }
  const audience = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud
  if (audience !== expected.issuer)
    throw new TokenError('assertion-audience', { expected: expected.issuer })
  if (typeof jti !== 'string' || jti.length < 8 || jti.length > 256) {
    throw new TokenError('assertion-malformed', { expected: 'a jti of 8 to 256 characters' })
  }
  return {
    key: `assertion:${expected.key.jkt}:${jti}`,
    expiresAt: checkTime(exp, jws.payload['nbf'], expected.now),
  }
}

/**
 * Whom an assertion says that it comes from: a hint at the key to verify it with, worth nothing before
 * {@link verifyClientAssertion} has.
 *
 * @throws TokenError `assertion-malformed`
 * @see RFC 7523 §3
 */
export function claimedClient(assertion: string): string {
  const { sub } = parseAssertion(assertion).payload
  if (typeof sub !== 'string') throw new TokenError('assertion-malformed', { expected: 'sub' })
  return sub
}

function parseAssertion(assertion: string): ParsedJws {
  try {
    return parseJws(assertion)
  } catch (cause) {
    throw new TokenError('assertion-malformed', { cause })
  }
}

function verifySignature(assertion: string, key: ProofKey): ParsedJws {
  const jws = parseAssertion(assertion)
  try {
    verifyJws(jws, key.key, key.algorithm)
  } catch (cause) {
    throw new TokenError('assertion-signature', { cause })
  }
  return jws
}

function checkTime(exp: unknown, nbf: unknown, now: number): number {
  if (typeof exp !== 'number' || !Number.isFinite(exp))
    throw new TokenError('assertion-malformed', { expected: 'exp' })
  const remaining = exp - now / 1000
  if (remaining <= -skewSeconds || remaining > maxLifetimeSeconds + skewSeconds) {
    throw new TokenError('assertion-time', {
      expected: `an exp within ${maxLifetimeSeconds} s`,
      found: `${Math.round(remaining)} s`,
    })
  }
  if (isTooEarly(nbf, now))
    throw new TokenError('assertion-time', { expected: 'an nbf in the past' })
  return Math.ceil((exp + skewSeconds) * 1000)
}
