import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import type { TokenVerificationKey } from './access-token.ts'
import { TokenError } from './error.ts'
import { isTooEarly } from './not-before.ts'

/** `client_assertion_type` of a JWT-SVID (draft-ietf-oauth-spiffe-client-auth-02). */
export const jwtSpiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** What a JWT-SVID is held against. */
export interface JwtSvidExpectations {
  /** The one audience. */
  readonly audience: string
  /** The `jwt-svid` keys of its trust domain. */
  readonly keys: readonly TokenVerificationKey[]
  /** Unix milliseconds. */
  readonly now: number
}

const allowedHeaders = ['alg', 'kid', 'typ']
const allowedTypes: readonly unknown[] = [undefined, 'JWT', 'JOSE']

/**
 * Verifies a JWT-SVID and gives its subject, a SPIFFE ID as a text.
 *
 * @throws TokenError `svid-malformed`, `svid-signature`, `svid-audience`, `svid-expired`, `svid-early`
 * @see JWT-SVID §2 to §4
 */
export function verifyJwtSvid(svid: string, expected: JwtSvidExpectations): string {
  const jws = parseSvid(svid)
  const row = expected.keys.find(({ kid }) => kid === jws.header['kid'])
  if (row === undefined) throw new TokenError('svid-signature')
  verifySignature(jws, row)
  const { sub, aud, exp } = jws.payload
  if (typeof sub !== 'string' || typeof exp !== 'number' || !Number.isFinite(exp))
    throw new TokenError('svid-malformed', { expected: 'sub and exp' })
  const audience = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud
  if (audience !== expected.audience)
    throw new TokenError('svid-audience', { expected: expected.audience })
  if (exp * 1000 <= expected.now) throw new TokenError('svid-expired')
  if (isTooEarly(jws.payload['nbf'], expected.now)) throw new TokenError('svid-early')
  return sub
}

/** JWT-SVID §2: no header beyond three, so none that brings a key along. */
function parseSvid(svid: string): ParsedJws {
  let jws: ParsedJws
  try {
    jws = parseJws(svid)
  } catch (cause) {
    throw new TokenError('svid-malformed', { cause })
  }
  const isHeader = Object.keys(jws.header).every(name => allowedHeaders.includes(name))
  if (!isHeader || !allowedTypes.includes(jws.header['typ']))
    throw new TokenError('svid-malformed', { expected: 'the headers alg, kid and typ JWT' })
  return jws
}

function verifySignature(jws: ParsedJws, { key, algorithm }: TokenVerificationKey): void {
  try {
    verifyJws(jws, key, algorithm)
  } catch (cause) {
    throw new TokenError('svid-signature', { cause })
  }
}
