import { timingSafeEqual, type KeyObject } from 'node:crypto'
import { jwsAlgorithms, type JwsAlgorithm } from '../jose/algorithm.ts'
import type { StatusReference } from '../status/status-list-token.ts'
import { JoseError } from '../jose/error.ts'
import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import type { AuthorizationDetail } from './authorization-details.ts'
import { isConfirmation, type Confirmation } from './confirmation.ts'
import { isDelegation, type DelegationClaims } from './delegation.ts'
import { TokenError } from './error.ts'
import { isTooEarly } from './not-before.ts'

/** What Assay says about the holder beyond the registered claims. */
export interface HolderClaims {
  readonly kind: 'operator' | 'host' | 'agent'
  readonly class?: string
  readonly host?: string
  /** Assurance level of the host's hardware. */
  readonly assurance?: string
  /** Hex SHA-256 of the Evidence behind the current Attestation Result. */
  readonly evidence?: string
  /** Where an operator's key is kept. */
  readonly key_protection?: string
  readonly role?: string
  /** Who answers for the agent, as its class names them. */
  readonly owner?: string
  /** Hex SHA-256 of the Attestation Result, and when it was given, NumericDate. */
  readonly attestation_result?: string
  readonly attested_at?: number
  /** Which run of the agent it is; minted by the issuer, never chosen by a caller. */
  readonly run?: string
}

/** The claims of an access token (RFC 9068 §2.2); times are NumericDate seconds. */
export interface AccessTokenClaims extends DelegationClaims {
  readonly iss: string
  readonly sub: string
  /** One audience, or several where several resources were asked for (RFC 8707 §2). */
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly scope: string
  readonly cnf: Confirmation
  readonly assay: HolderClaims
  /** The transaction that this token belongs to; all tokens that descend from one have one. */
  readonly txn?: string
  /** RFC 9396 §9.1. */
  readonly authorization_details?: readonly AuthorizationDetail[]
  /** Where its status is told (draft-ietf-oauth-status-list-21 §6). */
  readonly status?: { readonly status_list: StatusReference }
}

/** The audiences of a token, whichever way it writes them (RFC 7519 §4.1.3). */
export function audiencesOf({ aud }: Pick<AccessTokenClaims, 'aud'>): readonly string[] {
  return typeof aud === 'string' ? [aud] : aud
}

/** A public key that signs access tokens, with the id by which tokens name it. */
export interface TokenVerificationKey {
  readonly kid: string
  readonly key: KeyObject
  readonly algorithm: JwsAlgorithm
}

/** What a resource holds a token against. */
export interface TokenExpectations {
  readonly issuer: string
  /** Left out by the issuer alone, who may look at a token for anybody. */
  readonly audience?: string
  readonly keys: readonly TokenVerificationKey[]
  /** Unix milliseconds. */
  readonly now: number
}

/** The last second that a `Date` can hold. */
const maxSeconds = 8.64e12

const seal = Symbol('verified access token')

/** Claims that {@link verifyAccessToken} has verified; the binding is still to be proven with the request. */
export class VerifiedAccessToken {
  readonly #claims: AccessTokenClaims

  constructor(key: typeof seal, claims: AccessTokenClaims) {
    if (key !== seal) throw new TypeError('made by verifyAccessToken alone')
    this.#claims = claims
  }

  get claims(): AccessTokenClaims {
    return this.#claims
  }

  /** @throws TokenError `token-scope` */
  requireScope(scope: string): void {
    if (!this.#claims.scope.split(' ').includes(scope)) {
      throw new TokenError('token-scope', { expected: scope, found: this.#claims.scope || 'none' })
    }
  }

  /** @throws TokenError `token-expired` */
  requireFresh(now: number): void {
    if (this.#claims.exp * 1000 <= now) {
      throw new TokenError('token-expired', {
        found: new Date(this.#claims.exp * 1000).toISOString(),
      })
    }
  }

  /**
   * The proof beside the token must be by the key that the token names.
   *
   * @throws TokenError `dpop-key`, `token-unbound`
   */
  requireProofKey(jkt: string): void {
    const { cnf } = this.#claims
    if (!('jkt' in cnf))
      throw new TokenError('token-unbound', { expected: 'the certificate that the token names' })
    if (!isEqual(cnf.jkt, jkt)) throw new TokenError('dpop-key', { expected: cnf.jkt, found: jkt })
  }

  /**
   * The certificate of the connection must be the one that the token names.
   *
   * @param x5t base64url SHA-256 of the certificate, or undefined where the connection has none
   * @throws TokenError `token-unbound`, `token-certificate`
   */
  requireCertificate(x5t: string | undefined): void {
    const { cnf } = this.#claims
    if ('jkt' in cnf) throw new TokenError('token-unbound', { expected: 'a DPoP proof' })
    if (x5t === undefined)
      throw new TokenError('token-unbound', { expected: 'a client certificate' })
    if (!isEqual(cnf['x5t#S256'], x5t)) throw new TokenError('token-certificate')
  }
}

/**
 * Verifies signature, type, issuer, audience and time of an access token.
 *
 * @throws TokenError `token-malformed`, `token-unknown-key`, `token-signature`, `token-issuer`, `token-audience`,
 *   `token-expired`, `token-early`
 * @see RFC 9068 §4
 */
export function verifyAccessToken(token: string, expected: TokenExpectations): VerifiedAccessToken {
  const jws = verifyTokenSignature(token, expected.keys)
  const claims = parseClaims(jws.payload)
  if (claims.iss !== expected.issuer)
    throw new TokenError('token-issuer', { expected: expected.issuer })
  const audiences = audiencesOf(claims)
  if (expected.audience !== undefined && !audiences.includes(expected.audience)) {
    const found = audiences.join(' ')
    throw new TokenError('token-audience', { expected: expected.audience, found })
  }
  const verified = new VerifiedAccessToken(seal, claims)
  verified.requireFresh(expected.now)
  if (isTooEarly(jws.payload['nbf'], expected.now)) throw new TokenError('token-early')
  return verified
}

function verifyTokenSignature(token: string, keys: readonly TokenVerificationKey[]): ParsedJws {
  try {
    const jws = parseJws(token)
    if (jws.header['typ'] !== 'at+jwt')
      throw new TokenError('token-malformed', { expected: 'typ at+jwt' })
    const row = keys.find(candidate => candidate.kid === jws.header['kid'])
    if (row === undefined) throw new TokenError('token-unknown-key')
    verifyJws(jws, row.key, row.algorithm)
    return jws
  } catch (cause) {
    if (!(cause instanceof JoseError)) throw cause
    throw new TokenError(cause.code === 'jws-malformed' ? 'token-malformed' : 'token-signature', {
      cause,
    })
  }
}

function parseClaims(payload: Readonly<Record<string, unknown>>): AccessTokenClaims {
  const texts = ['iss', 'sub', 'client_id', 'jti', 'scope']
  const times = ['iat', 'exp']
  const holder = payload['assay']
  const ok =
    texts.every(name => typeof payload[name] === 'string') &&
    times.every(name => isTime(payload[name])) &&
    isAudience(payload['aud']) &&
    typeof holder === 'object' &&
    holder !== null &&
    isConfirmation(payload['cnf']) &&
    isDelegation(payload)
  if (!ok)
    throw new TokenError('token-malformed', { expected: 'the claims of an Assay access token' })
  return payload as unknown as AccessTokenClaims
}

function isAudience(aud: unknown): boolean {
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return all.length > 0 && all.every(one => typeof one === 'string')
}

/** NumericDate of whole seconds that a calendar can show (RFC 7519 §2). */
function isTime(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(value as number) <= maxSeconds
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The row of the algorithm table by its name; throws `TypeError` for a name that is not in it. */
export function tokenAlgorithm(name: string): JwsAlgorithm {
  const row = jwsAlgorithms.find(candidate => candidate.name === name)
  if (row === undefined) throw new TypeError(`no such algorithm: ${name}`)
  return row
}
