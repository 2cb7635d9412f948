import { jwsAlgorithmOf } from '../jose/algorithm.ts'
import { importJwk, parsePublicJwk, thumbprint } from '../jose/jwk.ts'
import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import type { TokenVerificationKey } from './access-token.ts'
import { TokenError } from './error.ts'
import { isTooEarly } from './not-before.ts'
import type { ProofKey } from './proof-key.ts'

/** What may stand in `OAuth-Client-Attestation`, by its `typ`: a client attestation, or a WIT-SVID. */
export const attestationTypes = ['oauth-client-attestation+jwt', 'wit+jwt'] as const

const skewSeconds = 10
const popMaxAgeSeconds = 120

/** What a client attestation says, once verified: for the holder of which key it speaks. */
export interface ClientAttestation {
  /** The client_id. */
  readonly sub: string
  readonly key: ProofKey
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/**
 * Verifies a client attestation under the keys of those who are trusted to attest.
 *
 * @throws TokenError `client-attestation-malformed`, `client-attestation-signature`, `client-attestation-expired`,
 *   `client-attestation-early`
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §4, §7.1; draft-ietf-oauth-spiffe-client-auth-02 (WIT-SVID)
 */
export function verifyClientAttestation(
  attestation: string,
  { keys, now }: { readonly keys: readonly TokenVerificationKey[]; readonly now: number },
): ClientAttestation {
  const jws = parse(attestation)
  if (!attestationTypes.some(typ => typ === jws.header['typ']))
    throw malformed(`typ ${attestationTypes.join(' or ')}`)
  const row = keys.find(({ kid }) => kid === jws.header['kid'])
  if (row === undefined) throw new TokenError('client-attestation-signature')
  verify(jws, row)
  const { sub, exp, iat, aud } = jws.payload
  if (typeof sub !== 'string') throw malformed('sub')
  if (!Number.isSafeInteger(exp) || !Number.isSafeInteger(iat)) throw malformed('iat and exp')
  // A WIT-SVID has no audience; an attestation that has one was made for another purpose.
  if (aud !== undefined) throw malformed('no aud')
  const expiresAt = (exp as number) * 1000
  if (expiresAt <= now) throw new TokenError('client-attestation-expired')
  if (isTooEarly(jws.payload['nbf'], now)) throw new TokenError('client-attestation-early')
  return { sub, key: readKey(jws.payload['cnf']), expiresAt }
}

function readKey(cnf: unknown): ProofKey {
  const jwk = (cnf as { jwk?: unknown } | null | undefined)?.jwk
  try {
    const parsed = parsePublicJwk(jwk)
    const algorithm = jwsAlgorithmOf[parsed.crv]
    return { jwk: parsed, jkt: thumbprint(parsed), key: importJwk(parsed), algorithm }
  } catch (cause) {
    throw new TokenError('client-attestation-malformed', { expected: 'cnf.jwk', cause })
  }
}

/** What the token endpoint knows before it reads a proof of possession. */
export interface PopExpectations {
  readonly issuer: string
  readonly attestation: ClientAttestation
  /** Says whether a challenge is one of ours. */
  readonly isChallenge: (challenge: string) => boolean
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * Verifies the Client Attestation PoP and gives its replay key, to be consumed once.
 *
 * @throws TokenError `client-attestation-malformed`, `client-attestation-signature`, `client-attestation-audience`,
 *   `client-attestation-time`, `client-attestation-challenge`
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §5.1, §7.2
 */
export function verifyAttestationPop(
  pop: string,
  expected: PopExpectations,
): { readonly key: string; readonly expiresAt: number } {
  const jws = parse(pop)
  const typ = 'oauth-client-attestation-pop+jwt'
  if (jws.header['typ'] !== typ) throw malformed(`typ ${typ}`)
  const { key } = expected.attestation
  verify(jws, key)
  const { aud, jti, iat, challenge } = jws.payload
  if (aud !== expected.issuer)
    throw new TokenError('client-attestation-audience', { expected: expected.issuer })
  if (typeof jti !== 'string' || jti.length < 8 || jti.length > 256)
    throw malformed('a jti of 8 to 256 characters')
  if (!Number.isSafeInteger(iat)) throw malformed('iat')
  const expiresAt = checkTime(iat as number, expected.now)
  // The challenge comes last: only the holder of the key is told a fresh one.
  if (typeof challenge !== 'string' || !expected.isChallenge(challenge))
    throw new TokenError('client-attestation-challenge')
  return { key: `attestation-pop:${key.jkt}:${jti}`, expiresAt }
}

function checkTime(iat: number, now: number): number {
  const age = now / 1000 - iat
  if (age > popMaxAgeSeconds || age < -skewSeconds) {
    throw new TokenError('client-attestation-time', {
      expected: `within ${popMaxAgeSeconds} s`,
      found: `${Math.round(age)} s old`,
    })
  }
  return (iat + popMaxAgeSeconds + skewSeconds) * 1000
}

function malformed(expected: string): TokenError {
  return new TokenError('client-attestation-malformed', { expected })
}

function parse(compact: string): ParsedJws {
  try {
    return parseJws(compact)
  } catch (cause) {
    throw new TokenError('client-attestation-malformed', { cause })
  }
}

function verify(jws: ParsedJws, { key, algorithm }: Pick<ProofKey, 'key' | 'algorithm'>): void {
  try {
    verifyJws(jws, key, algorithm)
  } catch (cause) {
    throw new TokenError('client-attestation-signature', { cause })
  }
}
