import { createHmac } from 'node:crypto'
import test from 'ava'
import * as fc from 'fast-check'
import {
  tokenAlgorithm,
  VerifiedAccessToken,
  verifyAccessToken,
  type AccessTokenClaims,
} from '../../../src/core/token/access-token.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { compactJws, createTestKey, segment } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const iat = now / 1000
const issuer = 'https://assay.example'
const signer = createTestKey()
const keys = [{ kid: 'key-1', key: signer.publicKey, algorithm: tokenAlgorithm('ES256') }]
const expected = { issuer, audience: 'https://api.example', keys, now }
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }

const claims: AccessTokenClaims = {
  iss: issuer,
  sub: 'spiffe://example.org/agent/reader/1',
  aud: 'https://api.example',
  client_id: 'spiffe://example.org/agent/reader/1',
  iat,
  exp: iat + 300,
  jti: 'token-1',
  scope: 'read write',
  cnf: { jkt: 'the-key' },
  assay: { kind: 'agent', class: 'reader', host: 'host-1', assurance: 'tpm-discrete' },
}

function tokenOf(changes: Record<string, unknown> = {}, headerChanges: object = {}): string {
  return compactJws({ ...header, ...headerChanges }, { ...claims, ...changes }, signer)
}

test('a token of the issuer for this audience, in its time, is accepted with its claims', t => {
  t.deepEqual(verifyAccessToken(tokenOf(), expected).claims, claims)
})

test('only the issuer itself may leave the audience open', t => {
  const { audience: _audience, ...open } = expected
  t.is(verifyAccessToken(tokenOf({ aud: 'https://else.example' }), open).claims.jti, 'token-1')
})

const refused: readonly (readonly [string, string, string])[] = [
  ['that is no JWS', 'x.y', 'token-malformed'],
  ['of alg none without signature', unsigned('none'), 'token-signature'],
  ['of alg None', unsigned('None'), 'token-signature'],
  ['whose HMAC is keyed with the public key', confused(), 'token-signature'],
  ['that names an algorithm of another curve', tokenOf({}, { alg: 'ES384' }), 'token-signature'],
  ['signed by another key under the known id', forged({}), 'token-signature'],
  ['that brings its own key as jwk', forged({ jwk: createTestKey().jwk }), 'token-signature'],
  ['that names a key set as jku', forged({ jku: 'https://evil.example/jwks' }), 'token-signature'],
  ['of an unknown key id', tokenOf({}, { kid: 'key-2' }), 'token-unknown-key'],
  ['without key id', tokenOf({}, { kid: undefined }), 'token-unknown-key'],
  ['whose key id is no text', tokenOf({}, { kid: ['key-1'] }), 'token-unknown-key'],
  ['of type JWT', tokenOf({}, { typ: 'JWT' }), 'token-malformed'],
  ['of the type of a DPoP proof', tokenOf({}, { typ: 'dpop+jwt' }), 'token-malformed'],
  ['without type', tokenOf({}, { typ: undefined }), 'token-malformed'],
  ['with a critical header', tokenOf({}, { crit: ['exp'] }), 'token-malformed'],
  ['of another issuer', tokenOf({ iss: 'https://else.example' }), 'token-issuer'],
  ['of the issuer with a slash behind it', tokenOf({ iss: `${issuer}/` }), 'token-issuer'],
  ['for another audience', tokenOf({ aud: 'https://else.example' }), 'token-audience'],
  ['for other audiences', tokenOf({ aud: ['https://a.example', 'b'] }), 'token-audience'],
  ['for no audience', tokenOf({ aud: [] }), 'token-malformed'],
  ['for an audience that is no text', tokenOf({ aud: [1] }), 'token-malformed'],
  ['past its time', tokenOf({ exp: iat }), 'token-expired'],
  ['without end', tokenOf({ exp: undefined }), 'token-malformed'],
  ['whose end is a text', tokenOf({ exp: String(iat + 300) }), 'token-malformed'],
  ['whose end no calendar shows', tokenOf({ exp: 1e300 }), 'token-malformed'],
  ['that ended before any calendar', tokenOf({ exp: -1e300 }), 'token-malformed'],
  ['without binding', tokenOf({ cnf: undefined }), 'token-malformed'],
  ['with an empty binding', tokenOf({ cnf: {} }), 'token-malformed'],
  ['with a null binding', tokenOf({ cnf: null }), 'token-malformed'],
  ['with two bindings', tokenOf({ cnf: { jkt: 'a', 'x5t#S256': 'b' } }), 'token-malformed'],
  ['with a binding of another kind', tokenOf({ cnf: { jwk: 'a' } }), 'token-malformed'],
  ['with a binding that is no text', tokenOf({ cnf: { jkt: 1 } }), 'token-malformed'],
  ['without holder', tokenOf({ assay: null }), 'token-malformed'],
  ['without scope', tokenOf({ scope: undefined }), 'token-malformed'],
]

function unsigned(alg: string): string {
  return `${segment({ ...header, alg })}.${segment(claims)}.`
}

function confused(): string {
  const input = `${segment({ ...header, alg: 'HS256' })}.${segment(claims)}`
  const secret = signer.publicKey.export({ format: 'der', type: 'spki' })
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function forged(extra: object): string {
  return compactJws({ ...header, ...extra }, claims, createTestKey())
}

for (const [name, token, code] of refused) {
  test(`refuses a token ${name}`, t => {
    t.throws(() => verifyAccessToken(token, expected), { code, instanceOf: TokenError })
  })
}

test('a token ends at its very second', t => {
  const token = tokenOf()
  t.notThrows(() => verifyAccessToken(token, { ...expected, now: claims.exp * 1000 - 1 }))
  const ended = { ...expected, now: claims.exp * 1000 }
  t.throws(() => verifyAccessToken(token, ended), { code: 'token-expired' })
})

test('a token bound to a key takes a proof by that key and nothing else', t => {
  const token = verifyAccessToken(tokenOf(), expected)
  t.notThrows(() => token.requireProofKey('the-key'))
  t.throws(() => token.requireProofKey('the-kex'), { code: 'dpop-key' })
  t.throws(() => token.requireProofKey(''), { code: 'dpop-key' })
  t.throws(() => token.requireCertificate('the-key'), { code: 'token-unbound' })
})

test('a token bound to a certificate takes that certificate and nothing else', t => {
  const token = verifyAccessToken(tokenOf({ cnf: { 'x5t#S256': 'the-certificate' } }), expected)
  t.notThrows(() => token.requireCertificate('the-certificate'))
  t.throws(() => token.requireCertificate('another'), { code: 'token-certificate' })
  t.throws(() => token.requireCertificate(undefined), { code: 'token-unbound' })
  t.throws(() => token.requireProofKey('the-certificate'), { code: 'token-unbound' })
})

test('a scope is one whole word of the token', t => {
  const token = verifyAccessToken(tokenOf(), expected)
  t.notThrows(() => token.requireScope('read'))
  for (const scope of ['rea', 'read write', 'admin', ''])
    t.throws(() => token.requireScope(scope), { code: 'token-scope' })
  const empty = verifyAccessToken(tokenOf({ scope: '' }), expected)
  t.throws(() => empty.requireScope('read'), { code: 'token-scope' })
})

test('a verified token is made by verification alone', t => {
  const bypass = VerifiedAccessToken as unknown as new (
    key: symbol,
    of: AccessTokenClaims,
  ) => unknown
  t.throws(() => new bypass(Symbol('verified access token'), claims), { instanceOf: TypeError })
})

test('an algorithm that is not in the table is the caller’s bug', t => {
  t.throws(() => tokenAlgorithm('none'), { instanceOf: TypeError })
})

test('whatever the signer says, a token is claims of the right form or refused by its code', t => {
  const changes = fc.dictionary(
    fc.constantFrom('iss', 'aud', 'iat', 'exp', 'cnf', 'assay', 'scope', 'jti', 'x'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(changes, change => {
      try {
        const verified = verifyAccessToken(tokenOf(change), expected)
        t.is(typeof verified.claims.scope, 'string')
        t.true(verified.claims.exp * 1000 > now)
      } catch (error) {
        t.true(error instanceof TokenError)
      }
    }),
  )
})
