import {
  verifyAccessToken,
  type AccessTokenClaims,
  type TokenVerificationKey,
} from '../core/token/access-token.ts'
import { verifyDpopProof } from '../core/token/dpop-proof.ts'
import { TokenError } from '../core/token/error.ts'
import type { ProofKeys } from '../core/token/proof-key.ts'
import { isAtLeast, type AssuranceLevel } from '../core/verifier/assurance.ts'
import { ResourceError } from './error.ts'

/** What of an HTTP request shows who sends it. */
export interface ResourceRequest {
  readonly method: string
  /** The absolute URL as clients write it: scheme, host and path; query and fragment do not count (RFC 9449 §4.3). */
  readonly url: string
  /** Header names in lower case; a header that came twice as an array or joined by a comma is refused. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** DER of the client certificate of the connection, where there was one. */
  readonly clientCertificate?: Uint8Array
  /** base64url SHA-256 of the same, for those who have no more than that. */
  readonly certificateThumbprint?: string
}

/** What a request is held against, all of it known beforehand. */
export interface RequestExpectations {
  readonly issuer: string
  readonly audience: string
  readonly keys: readonly TokenVerificationKey[]
  readonly proofKeys: ProofKeys
  readonly assuranceFloor: AssuranceLevel | undefined
  readonly scopes: readonly string[]
  /** Says whether a nonce is one of ours; undefined where none is asked for. */
  readonly isNonce: ((nonce: string) => boolean) | undefined
  /** Unix milliseconds. */
  readonly now: number
}

/** A request whose token and binding verified. The proof is still to be spent, the status still to be asked for. */
export interface BoundRequest {
  readonly claims: AccessTokenClaims
  /** Undefined for a token bound to a certificate: the connection is the proof. */
  readonly replay: { readonly key: string; readonly expiresAt: number } | undefined
}

/**
 * Verifies token, binding, audience, scope and assurance of one request, from its bytes and what is known: nothing is
 * fetched and nothing kept.
 *
 * @param thumbprint base64url SHA-256 of the client's certificate, where the connection has one
 * @throws TokenError `token-…`, `dpop-…`; ResourceError `assurance-too-low`
 * @see RFC 9068 §4, RFC 9449 §7.1, RFC 8705 §3
 */
export function verifyRequest(
  request: ResourceRequest,
  thumbprint: string | undefined,
  expected: RequestExpectations,
): BoundRequest {
  const { scheme, token } = readAuthorization(single(request, 'authorization'))
  const verified = verifyAccessToken(token, expected)
  const { claims } = verified
  const wanted = 'jkt' in claims.cnf ? 'dpop' : 'bearer'
  if (scheme !== wanted)
    throw new TokenError('token-unbound', { expected: `the scheme ${wanted}`, found: scheme })
  let replay: BoundRequest['replay']
  if (wanted === 'dpop') {
    const proof = verifyDpopProof(readProof(request), expected.proofKeys, {
      method: request.method,
      url: request.url.replace(/[?#].*$/s, ''),
      now: expected.now,
      accessToken: token,
      ...(expected.isNonce === undefined ? {} : { isNonce: expected.isNonce }),
    })
    verified.requireProofKey(proof.key.jkt)
    replay = proof.replay
  } else verified.requireCertificate(thumbprint)
  for (const scope of expected.scopes) verified.requireScope(scope)
  requireAssurance(claims, expected.assuranceFloor)
  return { claims, replay }
}

function requireAssurance(claims: AccessTokenClaims, floor: AssuranceLevel | undefined): void {
  const { assurance } = claims.assay
  if (floor === undefined || isAtLeast(assurance, floor)) return
  throw new ResourceError('assurance-too-low', {
    expected: `${floor} or higher`,
    found: typeof assurance === 'string' ? assurance.slice(0, 40) : 'none',
  })
}

function readAuthorization(header: string | undefined): { scheme: string; token: string } {
  const [name = '', token = '', ...rest] = (header ?? '').split(' ')
  const scheme = name.toLowerCase()
  if ((scheme !== 'dpop' && scheme !== 'bearer') || token === '' || rest.length > 0)
    throw new TokenError('token-malformed', { expected: 'Authorization: DPoP <token>' })
  return { scheme, token }
}

/** RFC 9449 §4.3: one DPoP header, and neither two nor a list. */
function readProof(request: ResourceRequest): string {
  const proof = single(request, 'dpop')
  if (proof === undefined) throw new TokenError('dpop-missing')
  if (proof.includes(',')) throw new TokenError('dpop-malformed', { expected: 'one DPoP header' })
  return proof
}

function single({ headers }: ResourceRequest, name: string): string | undefined {
  const value = headers[name]
  if (value === undefined || typeof value === 'string') return value
  const [only, ...others] = value
  if (others.length === 0) return only
  throw new TokenError(name === 'dpop' ? 'dpop-malformed' : 'token-malformed', {
    expected: `one ${name} header`,
    found: `${value.length}`,
  })
}
