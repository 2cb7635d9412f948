import test from 'ava'
import { tokenAlgorithm } from '../../../src/core/token/access-token.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { verifyJwtSvid } from '../../../src/core/token/jwt-svid.ts'
import { compactJws, createTestKey } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const signer = createTestKey()
const keys = [{ kid: 'k1', key: signer.publicKey, algorithm: tokenAlgorithm('ES256') }]
const audience = 'https://as.example'
const expected = { audience, keys, now }
const svid = (header: object = {}, claims: object = {}, by = signer): string =>
  compactJws(
    { alg: 'ES256', kid: 'k1', typ: 'JWT', ...header },
    { sub: 'spiffe://example.org/agent/a/1', aud: [audience], exp: now / 1000 + 1, ...claims },
    by,
  )

for (const [name, text] of [
  ['as it is issued', svid()],
  ['of type JOSE', svid({ typ: 'JOSE' })],
  ['without type', svid({ typ: undefined })],
  ['with its audience as a text', svid({}, { aud: audience })],
] as const)
  test(`reads a JWT-SVID ${name}`, t => {
    t.is(verifyJwtSvid(text, expected), 'spiffe://example.org/agent/a/1')
  })

for (const [name, text, code] of [
  ['that is no JWS', 'x', 'svid-malformed'],
  ['of another type', svid({ typ: 'at+jwt' }), 'svid-malformed'],
  ['that brings a key along', svid({ jwk: signer.jwk }), 'svid-malformed'],
  ['under an unknown key', svid({ kid: 'k2' }), 'svid-signature'],
  ['by another key', svid({}, {}, createTestKey()), 'svid-signature'],
  ['of the algorithm none', svid({ alg: 'none' }), 'svid-signature'],
  ['without sub', svid({}, { sub: undefined }), 'svid-malformed'],
  ['without exp', svid({}, { exp: undefined }), 'svid-malformed'],
  ['with an exp that is no number', svid({}, { exp: '1' }), 'svid-malformed'],
  ['for two audiences', svid({}, { aud: [audience, 'b'] }), 'svid-audience'],
  ['for another audience', svid({}, { aud: 'b' }), 'svid-audience'],
  ['whose time is over', svid({}, { exp: now / 1000 }), 'svid-expired'],
] as const)
  test(`refuses a JWT-SVID ${name}`, t => {
    t.throws(() => verifyJwtSvid(text, expected), { code, instanceOf: TokenError })
  })
