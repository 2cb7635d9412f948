import test from 'ava'
import { tokenAlgorithm } from '../../../src/core/token/access-token.ts'
import {
  verifyAttestationPop,
  verifyClientAttestation,
} from '../../../src/core/token/client-attestation.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import {
  createChallenge,
  createNonce,
  isChallenge,
  isNonce,
} from '../../../src/core/token/nonce.ts'
import { compactJws, createTestKey } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const seconds = now / 1000
const issuer = createTestKey()
const holder = createTestKey()
const keys = [{ kid: 'k1', key: issuer.publicKey, algorithm: tokenAlgorithm('ES256') }]
const header = { typ: 'oauth-client-attestation+jwt', alg: 'ES256', kid: 'k1' }
const claims = {
  sub: 'client',
  iat: seconds,
  exp: seconds + 60,
  cnf: { jwk: { ...holder.jwk, alg: 'ES256' } },
}
const attest = (h: object = {}, c: object = {}, by = issuer): string =>
  compactJws({ ...header, ...h }, { ...claims, ...c }, by)

for (const typ of ['oauth-client-attestation+jwt', 'wit+jwt'])
  test(`reads an attestation of type ${typ}`, t => {
    const read = verifyClientAttestation(attest({ typ }), { keys, now })
    t.like(read, { sub: 'client', expiresAt: now + 60_000 })
    t.is(read.key.jkt, holder.jkt)
  })

for (const [name, text, code] of [
  ['that is no JWS', 'x', 'client-attestation-malformed'],
  ['of another type', attest({ typ: 'at+jwt' }), 'client-attestation-malformed'],
  ['under an unknown key', attest({ kid: 'k2' }), 'client-attestation-signature'],
  [
    'under a key that it brings along',
    attest({ jwk: holder.jwk }, {}, holder),
    'client-attestation-signature',
  ],
  ['of the algorithm none', attest({ alg: 'none' }), 'client-attestation-signature'],
  ['of a symmetric algorithm', attest({ alg: 'HS256' }), 'client-attestation-signature'],
  ['without sub', attest({}, { sub: 1 }), 'client-attestation-malformed'],
  ['without exp', attest({}, { exp: undefined }), 'client-attestation-malformed'],
  ['without iat', attest({}, { iat: undefined }), 'client-attestation-malformed'],
  ['for an audience', attest({}, { aud: 'x' }), 'client-attestation-malformed'],
  ['whose time is over', attest({}, { exp: seconds }), 'client-attestation-expired'],
  ['without cnf', attest({}, { cnf: undefined }), 'client-attestation-malformed'],
  ['with cnf null', attest({}, { cnf: null }), 'client-attestation-malformed'],
  [
    'with a private key',
    attest({}, { cnf: { jwk: { ...holder.jwk, d: 'AA' } } }),
    'client-attestation-malformed',
  ],
] as const)
  test(`refuses an attestation ${name}`, t => {
    t.throws(() => verifyClientAttestation(text, { keys, now }), { code, instanceOf: TokenError })
  })

const attestation = verifyClientAttestation(attest(), { keys, now })
const popHeader = { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }
const popClaims = { aud: 'https://as.example', jti: '12345678', iat: seconds, challenge: 'c' }
const prove = (h: object = {}, c: object = {}, by = holder): string =>
  compactJws({ ...popHeader, ...h }, { ...popClaims, ...c }, by)
const expected = {
  issuer: 'https://as.example',
  attestation,
  isChallenge: (challenge: string) => challenge === 'c',
  now,
}

test('gives the replay key of a proof, from the first to the last moment of its time', t => {
  for (const iat of [seconds - 120, seconds + 10]) {
    const { key, expiresAt } = verifyAttestationPop(prove({}, { iat }), expected)
    t.is(key, `attestation-pop:${holder.jkt}:12345678`)
    t.true(expiresAt > now)
  }
})

for (const [name, text, code] of [
  ['that is no JWS', 'x', 'client-attestation-malformed'],
  ['of another type', prove({ typ: 'dpop+jwt' }), 'client-attestation-malformed'],
  ['by another key', prove({}, {}, issuer), 'client-attestation-signature'],
  ['for another server', prove({}, { aud: 'https://b.example' }), 'client-attestation-audience'],
  ['for two servers', prove({}, { aud: ['https://as.example'] }), 'client-attestation-audience'],
  ['with a short jti', prove({}, { jti: 'x' }), 'client-attestation-malformed'],
  ['with a long jti', prove({}, { jti: 'x'.repeat(257) }), 'client-attestation-malformed'],
  ['without jti', prove({}, { jti: 12_345_678 }), 'client-attestation-malformed'],
  ['without iat', prove({}, { iat: 'x' }), 'client-attestation-malformed'],
  ['that is too old', prove({}, { iat: seconds - 121 }), 'client-attestation-time'],
  ['of the future', prove({}, { iat: seconds + 11 }), 'client-attestation-time'],
  ['without challenge', prove({}, { challenge: undefined }), 'client-attestation-challenge'],
  ['with another challenge', prove({}, { challenge: 'd' }), 'client-attestation-challenge'],
] as const)
  test(`refuses a proof of possession ${name}`, t => {
    t.throws(() => verifyAttestationPop(text, expected), { code, instanceOf: TokenError })
  })

test('a challenge is good in its minute and the next, and is no nonce', t => {
  const secret = new Uint8Array(32).fill(7)
  const challenge = createChallenge(secret, now)
  t.true(isChallenge(secret, challenge, now))
  t.true(isChallenge(secret, challenge, now + 60_000))
  t.false(isChallenge(secret, challenge, now + 120_000))
  t.false(isNonce(secret, challenge, now))
  t.false(isChallenge(secret, createNonce(secret, now), now))
})
