import test from 'ava'
import { verifyFederatedJwtSvid } from '../../../src/core/spiffe/federated-jwt-svid.ts'
import { parseTrustBundle } from '../../../src/core/spiffe/trust-bundle.ts'
import { compactJws, createTestKey } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const signer = createTestKey()
const audience = 'https://api.example'
const bundleWith = (use: string): ReturnType<typeof parseTrustBundle> =>
  parseTrustBundle(JSON.stringify({ keys: [{ ...signer.jwk, use, kid: 'k1' }] }))
const own = { trustDomain: 'example.org', bundle: bundleWith('jwt-svid') }
const svid = (sub: string): string =>
  compactJws({ alg: 'ES256', kid: 'k1' }, { sub, aud: [audience], exp: now / 1000 + 1 }, signer)
const sub = 'spiffe://example.org/agent/a/1'

test('takes a JWT-SVID by a key of the bundle, of its trust domain', t => {
  t.is(verifyFederatedJwtSvid(svid(sub), own, { audience, now }), sub)
})

for (const [name, text, bundle, code] of [
  ['of another trust domain', svid('spiffe://example.com/agent/a/1'), own.bundle, 'svid-domain'],
  ['whose subject is no SPIFFE ID', svid('ada'), own.bundle, 'spiffe-id-malformed'],
  ['by a key for WIT-SVIDs alone', svid(sub), bundleWith('wit-svid'), 'svid-signature'],
  ['under an empty bundle', svid(sub), parseTrustBundle('{"keys":[]}'), 'svid-signature'],
] as const)
  test(`refuses a JWT-SVID ${name}`, t => {
    const held = { ...own, bundle }
    t.throws(() => verifyFederatedJwtSvid(text, held, { audience, now }), { code })
  })
