import test from 'ava'
import { jwsAlgorithms } from '../../../src/core/jose/algorithm.ts'
import { tokenAlgorithm, verifyAccessToken } from '../../../src/core/token/access-token.ts'
import { verifyClientAssertion } from '../../../src/core/token/client-assertion.ts'
import {
  verifyAttestationPop,
  verifyClientAttestation,
} from '../../../src/core/token/client-attestation.ts'
import { verifyDpopProof } from '../../../src/core/token/dpop-proof.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { verifyJwtSvid } from '../../../src/core/token/jwt-svid.ts'
import {
  createChallenge,
  createNonce,
  isChallenge,
  isNonce,
} from '../../../src/core/token/nonce.ts'
import { ProofKeys } from '../../../src/core/token/proof-key.ts'
import { compactJws, createTestKey } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const seconds = now / 1000
const issuer = 'https://assay.example'
const clientId = 'spiffe://example.org/agent/reader/1'
const signer = createTestKey()
const holder = createTestKey()
const [algorithm] = jwsAlgorithms
if (algorithm === undefined) throw new TypeError('a row')
const keys = [{ kid: 'k', key: signer.publicKey, algorithm: tokenAlgorithm('ES256') }]

/** What a JWS is when its time claims are these. Each is otherwise in order. */
type Show = (times: Readonly<Record<string, unknown>>) => unknown

const accessToken: Show = times =>
  verifyAccessToken(
    compactJws(
      { typ: 'at+jwt', alg: 'ES256', kid: 'k' },
      {
        iss: issuer,
        sub: clientId,
        aud: issuer,
        client_id: clientId,
        iat: seconds,
        exp: seconds + 300,
        jti: 'token-1',
        scope: '',
        cnf: { jkt: holder.jkt },
        assay: { kind: 'agent' },
        ...times,
      },
      signer,
    ),
    { issuer, audience: issuer, keys, now },
  )

const dpopProof: Show = times =>
  verifyDpopProof(
    compactJws(
      { typ: 'dpop+jwt', alg: 'ES256', jwk: holder.jwk },
      { jti: 'proof-0001', htm: 'POST', htu: issuer, ...times },
      holder,
    ),
    new ProofKeys(1),
    { method: 'POST', url: issuer, now },
  )

const assertion: Show = times =>
  verifyClientAssertion(
    compactJws(
      { alg: 'ES256' },
      {
        iss: clientId,
        sub: clientId,
        aud: issuer,
        jti: 'assertion-1',
        exp: seconds + 60,
        ...times,
      },
      holder,
    ),
    {
      clientId,
      issuer,
      key: { jwk: holder.jwk, jkt: holder.jkt, key: holder.publicKey, algorithm },
      now,
    },
  )

const attested =
  (typ: string): Show =>
  times =>
    verifyClientAttestation(
      compactJws(
        { typ, alg: 'ES256', kid: 'k' },
        {
          sub: clientId,
          iat: seconds - 60,
          exp: seconds + 60,
          cnf: { jwk: holder.jwk },
          ...times,
        },
        signer,
      ),
      { keys, now },
    )
const attestation = attested('oauth-client-attestation+jwt')
const witSvid = attested('wit+jwt')

const attestationPop: Show = times =>
  verifyAttestationPop(
    compactJws(
      { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' },
      { aud: issuer, jti: '12345678', challenge: 'c', ...times },
      holder,
    ),
    {
      issuer,
      attestation: attestation({}) as ReturnType<typeof verifyClientAttestation>,
      isChallenge: challenge => challenge === 'c',
      now,
    },
  )

const jwtSvid: Show = times =>
  verifyJwtSvid(
    compactJws(
      { typ: 'JWT', alg: 'ES256', kid: 'k' },
      { sub: clientId, aud: [issuer], exp: seconds + 60, ...times },
      signer,
    ),
    { audience: issuer, keys, now },
  )

/** Seconds from now at which a time claim is taken, and at which it is not. */
interface Edge {
  readonly taken: readonly number[]
  readonly refused: readonly number[]
}

// What clients sign may be ten seconds off; what a service signs and what it says of an end is held to the second.
const tillTheSecond: Edge = { taken: [1], refused: [0, -1] }
const tenSecondsEarly: Edge = { taken: [9, 10], refused: [11] }
const twoMinutesLong: Edge = { taken: [-119, -120, 9, 10], refused: [-121, 11] }
const fiveMinutesAhead: Edge = { taken: [-9, 309, 310], refused: [-10, -11, 311] }

/** One claim of one kind, and how it is said that its time is not now. */
type Row = readonly [what: string, Show, claim: 'iat' | 'exp' | 'nbf', Edge, code: string]

const rows: readonly Row[] = [
  ['an access token', accessToken, 'exp', tillTheSecond, 'token-expired'],
  ['an access token', accessToken, 'nbf', tenSecondsEarly, 'token-early'],
  ['a DPoP proof', dpopProof, 'iat', twoMinutesLong, 'dpop-time'],
  ['a client assertion', assertion, 'exp', fiveMinutesAhead, 'assertion-time'],
  ['a client assertion', assertion, 'nbf', tenSecondsEarly, 'assertion-time'],
  ['a client attestation', attestation, 'exp', tillTheSecond, 'client-attestation-expired'],
  ['a client attestation', attestation, 'nbf', tenSecondsEarly, 'client-attestation-early'],
  ['a WIT-SVID', witSvid, 'exp', tillTheSecond, 'client-attestation-expired'],
  ['a WIT-SVID', witSvid, 'nbf', tenSecondsEarly, 'client-attestation-early'],
  ['the proof of an attestation', attestationPop, 'iat', twoMinutesLong, 'client-attestation-time'],
  ['a JWT-SVID', jwtSvid, 'exp', tillTheSecond, 'svid-expired'],
  ['a JWT-SVID', jwtSvid, 'nbf', tenSecondsEarly, 'svid-early'],
]

for (const [what, show, claim, { taken, refused }, code] of rows)
  test(`${claim} of ${what} is taken at the edge of its time and refused a second beyond`, t => {
    const at = (offset: number): unknown => show({ [claim]: seconds + offset })
    for (const offset of taken) t.notThrows(() => at(offset), `${offset} s`)
    for (const offset of refused)
      t.throws(() => at(offset), { code, instanceOf: TokenError }, `${offset} s`)
  })

for (const [what, show, code] of [
  ['an access token', accessToken, 'token-early'],
  ['a client assertion', assertion, 'assertion-time'],
  ['a client attestation', attestation, 'client-attestation-early'],
  ['a JWT-SVID', jwtSvid, 'svid-early'],
] as const)
  test(`an nbf that is no number keeps ${what} from ever being used`, t => {
    for (const nbf of ['1', null, {}]) t.throws(() => show({ nbf }), { code })
  })

test('nonces and challenges are good to the last moment of the minute after theirs', t => {
  const secret = Buffer.alloc(32, 1)
  const minute = Math.floor(now / 60_000) * 60_000
  for (const [create, isGood] of [
    [createNonce, isNonce],
    [createChallenge, isChallenge],
  ] as const)
    for (const made of [minute, minute + 59_999]) {
      const text = create(secret, made)
      t.true(isGood(secret, text, minute))
      t.true(isGood(secret, text, minute + 119_999))
      t.false(isGood(secret, text, minute + 120_000))
      t.false(isGood(secret, text, minute - 1))
    }
})
