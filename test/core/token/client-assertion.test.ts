import test from 'ava'
import * as fc from 'fast-check'
import { jwsAlgorithms } from '../../../src/core/jose/algorithm.ts'
import {
  claimedClient,
  verifyClientAssertion,
  type AssertionExpectations,
} from '../../../src/core/token/client-assertion.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { compactJws, createTestKey, segment } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const seconds = now / 1000
const clientId = 'spiffe://example.org/agent/reader/1'
const issuer = 'https://assay.example'
const own = createTestKey()
const [algorithm] = jwsAlgorithms
if (algorithm === undefined) throw new TypeError('a row')

const expected: AssertionExpectations = {
  clientId,
  issuer,
  key: { jwk: own.jwk, jkt: own.jkt, key: own.publicKey, algorithm },
  now,
}

const claims = { iss: clientId, sub: clientId, aud: issuer, jti: 'assertion-1', exp: seconds + 60 }

function assertionOf(changes: object = {}, header: object = { alg: 'ES256' }, by = own): string {
  return compactJws(header, { ...claims, ...changes }, by)
}

test('an assertion of the client by its own key is accepted once, until it could not be shown again', t => {
  const replay = verifyClientAssertion(assertionOf(), expected)
  t.is(replay.key, `assertion:${own.jkt}:assertion-1`)
  const late = { ...expected, now: replay.expiresAt }
  t.throws(() => verifyClientAssertion(assertionOf(), late), { code: 'assertion-time' })
  const fraction = verifyClientAssertion(assertionOf({ exp: seconds + 60.00012 }), expected)
  t.true(Number.isInteger(fraction.expiresAt))
})

test('the audience may be a list of the issuer alone', t => {
  t.notThrows(() => verifyClientAssertion(assertionOf({ aud: [issuer] }), expected))
})

const none = `${segment({ alg: 'none' })}.${segment(claims)}.`
const refused: readonly (readonly [string, string, string])[] = [
  ['that is no JWS', 'x', 'assertion-malformed'],
  ['of alg none', none, 'assertion-signature'],
  ['of another algorithm', assertionOf({}, { alg: 'HS256' }), 'assertion-signature'],
  ['by another key', assertionOf({}, { alg: 'ES256' }, createTestKey()), 'assertion-signature'],
  ['of another issuer', assertionOf({ iss: 'other' }), 'assertion-malformed'],
  ['about another client', assertionOf({ sub: 'other' }), 'assertion-malformed'],
  ['for the token endpoint', assertionOf({ aud: `${issuer}/oauth/token` }), 'assertion-audience'],
  ['for two audiences', assertionOf({ aud: [issuer, 'x'] }), 'assertion-audience'],
  ['for nobody', assertionOf({ aud: undefined }), 'assertion-audience'],
  ['without jti', assertionOf({ jti: undefined }), 'assertion-malformed'],
  ['with a short jti', assertionOf({ jti: 'short' }), 'assertion-malformed'],
  ['with an endless jti', assertionOf({ jti: 'x'.repeat(257) }), 'assertion-malformed'],
  ['without end', assertionOf({ exp: undefined }), 'assertion-malformed'],
  ['whose end is a text', assertionOf({ exp: `${seconds + 60}` }), 'assertion-malformed'],
  ['that has ended', assertionOf({ exp: seconds - 10 }), 'assertion-time'],
  ['that lives too long', assertionOf({ exp: seconds + 311 }), 'assertion-time'],
  ['that is not valid yet', assertionOf({ nbf: seconds + 11 }), 'assertion-time'],
  ['whose beginning is a text', assertionOf({ nbf: `${seconds}` }), 'assertion-time'],
]

for (const [name, assertion, code] of refused) {
  test(`refuses an assertion ${name}`, t => {
    t.throws(() => verifyClientAssertion(assertion, expected), { code, instanceOf: TokenError })
  })
}

test('a clock may be off by ten seconds', t => {
  for (const change of [{ exp: seconds - 9 }, { exp: seconds + 310 }, { nbf: seconds + 10 }])
    t.notThrows(() => verifyClientAssertion(assertionOf(change), expected))
})

test('whom an assertion claims to come from is its subject, if it has one', t => {
  t.is(claimedClient(assertionOf({ sub: 'someone' })), 'someone')
  for (const assertion of ['', 'a.b.c', assertionOf({ sub: undefined }), assertionOf({ sub: 1 })])
    t.throws(() => claimedClient(assertion), { code: 'assertion-malformed' })
})

test('whatever the client signs is an assertion or refused by its code', t => {
  const names = fc.constantFrom('iss', 'sub', 'aud', 'jti', 'exp', 'nbf')
  fc.assert(
    fc.property(fc.dictionary(names, fc.jsonValue()), changes => {
      try {
        const { expiresAt } = verifyClientAssertion(assertionOf(changes), expected)
        t.true(expiresAt > now && Number.isInteger(expiresAt))
      } catch (error) {
        t.true(error instanceof TokenError)
      }
    }),
  )
})
