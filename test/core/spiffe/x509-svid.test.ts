import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { SvidError } from '../../../src/core/spiffe/svid-error.ts'
import { parseTrustBundle } from '../../../src/core/spiffe/trust-bundle.ts'
import { VerifiedX509Svid, verifyX509Svid } from '../../../src/core/spiffe/x509-svid.ts'
import { oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import {
  authority,
  both,
  intermediate,
  leafBytes,
  now,
  root,
  withExtension,
  year,
} from '../x509/fixtures.ts'

const id = 'spiffe://example.org/agent/coder/1'

const names = (...uris: readonly string[]): CertificateEdit =>
  withExtension(oids.subjectAlternativeName, {
    value: der.sequence(
      der.implicitPrimitive(2, Buffer.from('api.example.org')),
      ...uris.map(uri => der.implicitPrimitive(6, Buffer.from(uri))),
    ),
  })
const usage = (bits: number, critical = true): CertificateEdit =>
  withExtension(oids.keyUsage, { critical, value: der.namedBits(bits) })
const purposes = (...last: readonly number[]): CertificateEdit =>
  withExtension(oids.extendedKeyUsage, {
    value: der.sequence(...last.map(n => der.objectIdentifier(`1.3.6.1.5.5.7.3.${n}`))),
  })

const svid = (...edits: readonly CertificateEdit[]): Uint8Array[] => [
  leafBytes(both(names(id), ...edits)),
  intermediate.certificate,
]

const bundleOf = (...roots: readonly Uint8Array[]): ReturnType<typeof parseTrustBundle> =>
  parseTrustBundle(
    JSON.stringify({
      keys: roots.map(each => ({
        use: 'x509-svid',
        kty: 'EC',
        x5c: [Buffer.from(each).toString('base64')],
      })),
    }),
  )

const own = { trustDomain: 'example.org', bundle: bundleOf(root.certificate) }

for (const [name, chain] of [
  ['as workloads have it', svid()],
  ['with both purposes', svid(purposes(1, 2))],
  ['with the root behind it', [...svid(), root.certificate]],
  ['that the root itself signed', [leafBytes(names(id), root)]],
] as const)
  test(`takes an X509-SVID ${name}`, t => {
    const verified = verifyX509Svid(chain, own, now)
    t.is(verified.id, id)
    t.deepEqual(verified.certificate.fields.encoded, chain[0])
  })

test('takes an SVID under an authority of the bundle that is not the root', t => {
  const bundle = bundleOf(intermediate.certificate)
  t.is(verifyX509Svid(svid().slice(0, 1), { ...own, bundle }, now).id, id)
})

const stranger = authority('Stranger', parts => parts, undefined)

for (const [name, chain, code] of [
  ['nothing', [], 'x509-svid-malformed'],
  ['what is no certificate', [Uint8Array.of(1)], 'x509-svid-malformed'],
  [
    'a chain that has no end',
    Array.from({ length: 11 }, () => root.certificate),
    'x509-svid-malformed',
  ],
  ['a certificate without names', [leafBytes(), intermediate.certificate], 'x509-svid-name'],
  ['a certificate without URI', svid(names()), 'x509-svid-name'],
  ['two URIs', svid(names(id, id)), 'x509-svid-name'],
  ['a URI that is no SPIFFE ID', svid(names('https://example.org/a')), 'x509-svid-name'],
  ['a SPIFFE ID without path', svid(names('spiffe://example.org')), 'x509-svid-name'],
  [
    'an authority',
    svid(
      usage(0x80),
      withExtension(oids.basicConstraints, { value: der.sequence(der.booleanTrue) }),
    ),
    'x509-svid-usage',
  ],
  ['a right to sign certificates', svid(usage(0x84)), 'x509-svid-usage'],
  ['a right to sign lists', svid(usage(0x82)), 'x509-svid-usage'],
  ['a key that signs nothing', svid(usage(0x20)), 'x509-svid-usage'],
  ['no key usage', svid(withExtension(oids.keyUsage, undefined)), 'x509-svid-usage'],
  ['a key usage that is not critical', svid(usage(0x80, false)), 'x509-svid-usage'],
  ['the purpose of servers alone', svid(purposes(1)), 'x509-svid-usage'],
  ['the purpose of clients alone', svid(purposes(2)), 'x509-svid-usage'],
  [
    'a certificate of another trust domain under the same root',
    svid(names('spiffe://example.com/agent/a/1')),
    'svid-domain',
  ],
  ['a chain that lacks its middle', svid().slice(0, 1), 'x509-svid-path'],
  [
    'a certificate that is over',
    svid(parts => ({ ...parts, notAfter: now - 1_000 })),
    'x509-svid-path',
  ],
  [
    'a certificate of another root',
    [leafBytes(names(id), stranger), stranger.certificate],
    'x509-svid-path',
  ],
] as const)
  test(`refuses ${name} as an X509-SVID`, t => {
    const bundle =
      name === 'a certificate of another root' ? bundleOf(intermediate.certificate) : own.bundle
    t.throws(() => verifyX509Svid(chain, { ...own, bundle }, now), { code, instanceOf: SvidError })
  })

test('an empty bundle believes nobody, and one of another trust domain not these', t => {
  t.throws(() => verifyX509Svid(svid(), { ...own, bundle: bundleOf() }, now), {
    code: 'x509-svid-path',
  })
  t.throws(() => verifyX509Svid(svid(), { ...own, trustDomain: 'example.com' }, now), {
    code: 'svid-domain',
  })
})

test('time is what the caller says', t => {
  t.throws(() => verifyX509Svid(svid(), own, now + 20 * year), { code: 'x509-svid-path' })
})

test('nobody else can say that an SVID was verified', t => {
  const seal = Symbol('verified X509-SVID') as never
  t.throws(() => new VerifiedX509Svid(seal, id, own.bundle.x509Authorities[0] as never), {
    instanceOf: TypeError,
  })
})
