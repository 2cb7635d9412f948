import { createHash } from 'node:crypto'
import { encodeBase64url } from '../bytes/base64url.ts'
import { factOf } from '../coded-error.ts'
import { JoseError } from '../jose/error.ts'
import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import { TokenError } from './error.ts'
import type { ProofKey, ProofKeys } from './proof-key.ts'

/** How old a proof may be, and how far ahead a client's clock may run, in seconds (RFC 9449 §11.1). */
export const proofMaxAgeSeconds = 120
export const proofMaxSkewSeconds = 10

/** What the server knows about the request that a proof came with. */
export interface DpopExpectations {
  readonly method: string
  /** The URL of the request as the service names itself, without query and fragment. */
  readonly url: string
  /** Unix milliseconds. */
  readonly now: number
  /** Says whether the proof's nonce is one of ours; left out where no nonce is asked for. */
  readonly isNonce?: (nonce: string) => boolean
  /** The access token beside the proof: required at a resource, absent at the token endpoint. */
  readonly accessToken?: string
}

/** A proof that verified; still to be spent once by its replay key. */
export interface DpopProof {
  readonly key: ProofKey
  readonly jti: string
  /** Unique per key and proof; the proof counts once, until `expiresAt` (Unix milliseconds). */
  readonly replay: { readonly key: string; readonly expiresAt: number }
}

/**
 * Verifies a DPoP proof for one request. The caller compares `key.jkt` with the binding of the token and consumes
 * the replay key.
 *
 * @throws TokenError `dpop-malformed`, `dpop-signature`, `dpop-method`, `dpop-url`, `dpop-time`, `dpop-nonce`,
 *   `dpop-token-hash`
 * @see RFC 9449 §4.3
 */
export function verifyDpopProof(
  proof: string,
  keys: ProofKeys,
  expected: DpopExpectations,
): DpopProof {
  const { jws, key } = parseProof(proof, keys)
  const { jti, htm, htu, iat, ath, nonce } = jws.payload
  if (typeof jti !== 'string' || jti.length < 8 || jti.length > 256) {
    throw new TokenError('dpop-malformed', { expected: 'a jti of 8 to 256 characters' })
  }
  if (htm !== expected.method) {
    throw new TokenError('dpop-method', {
      expected: expected.method,
      found: factOf(htm, 20),
    })
  }
  checkUrl(htu, expected.url)
  const expiresAt = checkTime(iat, expected.now)
  checkTokenHash(ath, expected.accessToken)
  verifyProofSignature(jws, key)
  // The nonce comes last: only the holder of a key is told a fresh one.
  if (expected.isNonce !== undefined && (typeof nonce !== 'string' || !expected.isNonce(nonce))) {
    throw new TokenError('dpop-nonce')
  }
  keys.keep(jws, key)
  return { key, jti, replay: { key: `dpop:${key.jkt}:${jti}`, expiresAt } }
}

function parseProof(proof: string, keys: ProofKeys): { jws: ParsedJws; key: ProofKey } {
  try {
    const jws = parseJws(proof)
    if (jws.header['typ'] !== 'dpop+jwt')
      throw new TokenError('dpop-malformed', { expected: 'typ dpop+jwt' })
    return { jws, key: keys.resolve(jws) }
  } catch (cause) {
    if (cause instanceof JoseError)
      throw new TokenError('dpop-malformed', { found: cause.message, cause })
    throw cause
  }
}

function verifyProofSignature(jws: ParsedJws, key: ProofKey): void {
  try {
    verifyJws(jws, key.key, key.algorithm)
  } catch (cause) {
    throw new TokenError('dpop-signature', { cause })
  }
}

function checkUrl(htu: unknown, expected: string): void {
  if (htu === expected) return
  const refuse = (): TokenError => new TokenError('dpop-url', { expected, found: factOf(htu, 200) })
  if (typeof htu !== 'string' || !URL.canParse(htu)) throw refuse()
  // RFC 9449 §4.3: compared after normalisation, ignoring query and fragment.
  const { origin, pathname, username, password } = new URL(htu)
  const target = new URL(expected)
  const isSame = origin === target.origin && pathname === target.pathname
  if (!isSame || username !== '' || password !== '') throw refuse()
}

function checkTime(iat: unknown, now: number): number {
  if (typeof iat !== 'number' || !Number.isFinite(iat))
    throw new TokenError('dpop-malformed', { expected: 'iat' })
  const issued = iat * 1000
  if (issued < now - proofMaxAgeSeconds * 1000 || issued > now + proofMaxSkewSeconds * 1000) {
    throw new TokenError('dpop-time', {
      expected: `within ${proofMaxAgeSeconds} s before ${new Date(now).toISOString()}`,
      found: `${Math.round((now - issued) / 1000)} s before`,
    })
  }
  // Whole milliseconds whatever fraction of a second the proof names, for stores count in them.
  return Math.ceil(issued) + (proofMaxAgeSeconds + proofMaxSkewSeconds) * 1000
}

function checkTokenHash(ath: unknown, accessToken: string | undefined): void {
  if (accessToken === undefined) return
  const hash = encodeBase64url(createHash('sha256').update(accessToken).digest())
  if (ath !== hash) throw new TokenError('dpop-token-hash')
}
