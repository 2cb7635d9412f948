import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { exportJwk } from '../../../src/core/jose/jwk.ts'
import { parseTrustBundle, requireNext } from '../../../src/core/spiffe/trust-bundle.ts'
import { createTestAuthority } from '../../support/test-authority.ts'

const { chain } = await createTestAuthority('example.org', new Date())
const root = Buffer.from(chain[1])
const jwk = exportJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const x509 = { use: 'x509-svid', kty: 'EC', x5c: [root.toString('base64')] }
const jwt = { ...jwk, use: 'jwt-svid', kid: 'a', alg: 'ES256' }
const wit = { ...jwk, use: 'wit-svid', kid: 'a' }

const encode = (keys: unknown, more: object = {}): string =>
  JSON.stringify({ keys, spiffe_sequence: 3, spiffe_refresh_hint: 60, ...more })

test('a bundle gives its authorities by use, its sequence and its hint', t => {
  const bundle = parseTrustBundle(encode([x509, jwt, wit]))
  t.is(bundle.sequence, 3)
  t.is(bundle.refreshHintSeconds, 60)
  t.deepEqual(
    bundle.x509Authorities.map(({ fields }) => Buffer.from(fields.encoded)),
    [root],
  )
  t.deepEqual(bundle.jwtAuthorities, [{ kid: 'a', jwk }])
  t.deepEqual(bundle.witAuthorities, [{ kid: 'a', jwk }])
})

test('what it does not say is zero and five minutes', t => {
  t.like(parseTrustBundle('{"keys":[]}'), { sequence: 0, refreshHintSeconds: 300 })
})

test('an empty key set is a bundle, and trusts nothing', t => {
  const bundle = parseTrustBundle(encode([]))
  t.deepEqual(bundle.x509Authorities, [])
  t.deepEqual(bundle.jwtAuthorities, [])
  t.deepEqual(bundle.witAuthorities, [])
})

test('uses that are not known, and none, are left out, and keys of other algorithms', t => {
  const others = [
    { use: 'tomorrow-svid', x5c: ['x'] },
    { kty: 'EC' },
    { ...jwt, kid: 'rsa', kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    { ...jwt, kid: 'koblitz', crv: 'secp256k1' },
    { ...jwt, kid: 'b', crv: 'P-384', x: 'A'.repeat(64), y: 'A'.repeat(64), alg: 'ES384' },
  ]
  const bundle = parseTrustBundle(encode([x509, jwt, ...others]))
  t.is(bundle.x509Authorities.length, 1)
  t.deepEqual(
    bundle.jwtAuthorities.map(({ kid }) => kid),
    ['a', 'b'],
  )
})

test('an authority without certificate is left out, and of several certificates all but the first', t => {
  const none = [{ use: 'x509-svid' }, { ...x509, x5c: [] }, { ...x509, x5c: 'x' }]
  t.deepEqual(parseTrustBundle(encode(none)).x509Authorities, [])
  const several = { ...x509, x5c: [...x509.x5c, 'AAAA'] }
  t.is(parseTrustBundle(encode([several])).x509Authorities.length, 1)
})

const malformed: Readonly<Record<string, string>> = {
  'no JSON': 'x',
  'an array': '[]',
  null: 'null',
  'no keys': '{}',
  'keys twice': '{"keys":[],"keys":[]}',
  'an entry that is no object': encode([1]),
  'too many keys': encode(Array.from({ length: 1001 }, () => ({}))),
  'more than a mebibyte': encode([], { more: 'x'.repeat(1024 * 1024) }),
  'a negative sequence': encode([], { spiffe_sequence: -1 }),
  'a broken sequence': encode([], { spiffe_sequence: 1.5 }),
  'a sequence in words': encode([], { spiffe_sequence: '3' }),
  'a hint of ages': encode([], { spiffe_refresh_hint: 1e12 }),
  'a root with a kid': encode([{ ...x509, kid: 'x' }]),
  'a root in a number': encode([{ ...x509, x5c: [1] }]),
  'a root in base64url': encode([{ ...x509, x5c: [root.toString('base64url')] }]),
  'a root that is no certificate': encode([{ ...x509, x5c: ['AAAA'] }]),
  'a token key without kid': encode([{ ...jwt, kid: undefined }]),
  'a token key with an empty kid': encode([{ ...jwt, kid: '' }]),
  'two token keys of one kid': encode([jwt, jwt]),
  'a private token key': encode([{ ...jwt, d: 'AAAA' }]),
}

for (const [name, text] of Object.entries(malformed)) {
  test(`refuses ${name} as a trust bundle`, t => {
    t.throws(() => parseTrustBundle(text), { code: 'bundle-malformed' })
  })
}

test('the next bundle is later, or the same', t => {
  const [two, three] = [{ sequence: 2 }, { sequence: 3 }]
  t.notThrows(() => requireNext(three, two, { next: 'b', kept: 'a' }))
  t.notThrows(() => requireNext(two, two, { next: 'a', kept: 'a' }))
  t.throws(() => requireNext(two, three, { next: 'a', kept: 'b' }), { code: 'bundle-older' })
  t.throws(() => requireNext(two, two, { next: 'a', kept: 'b' }), { code: 'bundle-differs' })
  const unnumbered = { sequence: 0 }
  t.notThrows(() => requireNext(unnumbered, unnumbered, { next: 'a', kept: 'b' }))
  t.throws(() => requireNext(unnumbered, two, { next: 'a', kept: 'b' }), { code: 'bundle-older' })
})
