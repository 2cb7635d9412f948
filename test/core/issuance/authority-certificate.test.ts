import { randomBytes, X509Certificate } from 'node:crypto'
import test from 'ava'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import {
  issueAuthority,
  prepareAuthority,
  PreparedAuthority,
  type AuthorityRequest,
} from '../../../src/core/issuance/authority-certificate.ts'
import { createIssuing, createRoot } from '../../../src/core/issuance/ceremony.ts'
import { embeddedCrypto } from '../../../src/hsm/embedded-key.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { createTestKey, type TestKey } from '../../support/compact-jws.ts'
import { createTestAuthority } from '../../support/test-authority.ts'
import { testAuthorityIssuance } from '../../support/test-issuance.ts'
import { permittedHosts } from './authority-defects.ts'
import { hour, now, openssl, pemOf, trustDomain } from './fixtures.ts'
import { signerOf } from './authority-fixtures.ts'

const { profiles, throwaway } = testAuthorityIssuance
const day = 24 * hour
const spkiOf = (key: TestKey): Uint8Array =>
  new Uint8Array(key.publicKey.export({ format: 'der', type: 'spki' }))

const rootKey = createTestKey('P-384')
const nextKey = createTestKey('P-384')
const issuingKey = createTestKey()

const rootRequest: AuthorityRequest = {
  profile: profiles.root,
  issuer: undefined,
  signatureAlgorithm: 'ES384',
  spki: spkiOf(rootKey),
  subject: commonName('Root'),
  trustDomain,
  pathLength: 2,
  serial: randomBytes(16),
  notBefore: now,
  notAfter: now + 3650 * day,
}

async function make(request: AuthorityRequest, key: TestKey): Promise<Uint8Array> {
  return await issueAuthority(prepareAuthority(request, throwaway), signerOf(key))
}

const root = await make(rootRequest, rootKey)
const nextRoot = await make(
  { ...rootRequest, subject: commonName('Next root'), spki: spkiOf(nextKey), pathLength: 1 },
  nextKey,
)
const intermediateRequest: AuthorityRequest = {
  ...rootRequest,
  profile: profiles.intermediate,
  issuer: nextRoot,
  spki: spkiOf(issuingKey),
  subject: commonName('Intermediate'),
  pathLength: 0,
  notAfter: now + 365 * day,
  nameConstraints: permittedHosts(trustDomain),
  crlUrl: 'http://pki.example/next.crl',
}
const intermediate = await make(intermediateRequest, nextKey)
const crossRequest: AuthorityRequest = {
  ...rootRequest,
  profile: profiles['cross-certificate'],
  issuer: root,
  spki: spkiOf(nextKey),
  subject: parseCertificate(nextRoot).fields.subject.encoded,
  subjectKeyIdentifier: parseCertificate(nextRoot).fields.extensions.subjectKeyIdentifier,
  pathLength: 1,
  notAfter: now + 1000 * day,
}
const cross = await make(crossRequest, rootKey)

const files = {
  'root.pem': pemOf(root),
  'next.pem': pemOf(nextRoot),
  'intermediate.pem': pemOf(intermediate),
  'cross.pem': pemOf(cross),
}
const verify = ['verify', '-x509_strict', '-attime', String(now / 1000)]

test('openssl verifies an authority of each profile', t => {
  t.regex(openssl(t, files, ...verify, '-CAfile', 'root.pem', 'root.pem'), /OK/)
  t.regex(openssl(t, files, ...verify, '-CAfile', 'next.pem', 'intermediate.pem'), /OK/)
  t.regex(openssl(t, files, ...verify, '-CAfile', 'root.pem', 'cross.pem'), /OK/)
})

test('whoever trusts one root alone reaches what stands below the other by the cross-certificate', t => {
  const below = ['-CAfile', 'root.pem', '-no-CApath', '-no-CAstore']
  const across = openssl(
    t,
    files,
    ...verify,
    ...below,
    '-untrusted',
    'cross.pem',
    'intermediate.pem',
  )
  t.regex(across, /OK/)
  t.throws(() => openssl(t, files, ...verify, ...below, 'intermediate.pem'))
})

const texts: readonly (readonly [string, readonly RegExp[]])[] = [
  ['root.pem', [/CA:TRUE, pathlen:2/, /Issuer: CN ?= ?Root\n/]],
  ['cross.pem', [/CA:TRUE, pathlen:1/, /Subject: CN ?= ?Next root\n/]],
  [
    'intermediate.pem',
    [
      /CA:TRUE, pathlen:0/,
      /Name Constraints: critical\s+Permitted:\s+URI:example\.org/,
      /CRL Distribution Points:\s+Full Name:\s+URI:http:\/\/pki\.example\/next\.crl/,
    ],
  ],
]

for (const [file, rules] of texts) {
  test(`openssl reads ${file} as it is meant`, t => {
    const text = openssl(t, files, 'x509', '-in', file, '-noout', '-text')
    for (const rule of rules) t.regex(text, rule)
    t.regex(text, /Basic Constraints: critical/)
    t.regex(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/)
    t.regex(text, /Subject Alternative Name:\s+URI:spiffe:\/\/example\.org\n/)
    t.regex(text, /Signature Algorithm: ecdsa-with-SHA384/)
  })
}

test('a cross-certificate names the key as its own certificate does', t => {
  const identifier = Buffer.from('00112233445566778899aabbccddeeff00112233', 'hex')
  const other = { ...crossRequest, subjectKeyIdentifier: identifier }
  t.notThrows(() => prepareAuthority(other, throwaway))
  const self = { ...rootRequest, subjectKeyIdentifier: identifier }
  t.notThrows(() => prepareAuthority(self, throwaway))
})

const refusals: readonly (readonly [string, string, Partial<AuthorityRequest>])[] = [
  ['an end behind the root’s', 'lint-issuer-validity', { notAfter: now + 3651 * day - day / 2 }],
  ['a beginning before the root’s', 'lint-issuer-validity', { notBefore: now - 1000 }],
  ['a path as long as the issuer’s', 'lint-path-length', { pathLength: 1 }],
  ['a name of no characters', 'lint-subject-name', { subject: commonName('') }],
  ['constraints for others', 'lint-name-constraints', { nameConstraints: permittedHosts('a.b') }],
  ['a serial number of one octet', 'lint-serial-entropy', { serial: new Uint8Array(16).fill(9) }],
]

for (const [what, code, changes] of refusals) {
  test(`refuses an intermediate with ${what}`, t => {
    const request = { ...intermediateRequest, ...changes }
    t.throws(() => prepareAuthority(request, throwaway), { code })
    t.notThrows(() => prepareAuthority(intermediateRequest, throwaway))
  })
}

test('a root lives as long as its profile allows, and not one second longer', t => {
  const end = now + profiles.root.maxLifetimeSeconds * 1000 - 1000
  t.notThrows(() => prepareAuthority({ ...rootRequest, notAfter: end }, throwaway))
  const longer = { ...rootRequest, notAfter: end + 1000 }
  t.throws(() => prepareAuthority(longer, throwaway), { code: 'lint-lifetime' })
})

test('a root takes no constraints and no list, since its profile has neither', t => {
  for (const changes of [{ crlUrl: 'http://a.example' }, { nameConstraints: permittedHosts('a') }])
    t.throws(() => prepareAuthority({ ...rootRequest, ...changes }, throwaway), {
      instanceOf: TypeError,
    })
})

test('a profile without X509-SVID is not held against it', t => {
  const request = { ...rootRequest, trustDomain: 'Not a trust domain' }
  t.throws(() => prepareAuthority(request, throwaway), { code: 'lint-svid-path' })
  const profile = { ...profiles.root, x509Svid: false }
  t.notThrows(() => prepareAuthority({ ...request, profile }, throwaway))
})

test('what is issued was prepared here, for this signer, and is issued once', async t => {
  const prepared = prepareAuthority(rootRequest, throwaway)
  const other = { algorithm: 'ES256', sign: () => new Uint8Array(64) } as const
  await t.throwsAsync(issueAuthority(prepared, other), { instanceOf: TypeError })
  await t.notThrowsAsync(issueAuthority(prepared, signerOf(rootKey)))
  await t.throwsAsync(issueAuthority(prepared, signerOf(rootKey)), { instanceOf: TypeError })
  const bypass = PreparedAuthority as unknown as new (...args: unknown[]) => unknown
  t.throws(() => new bypass(Symbol('prepared authority'), 'ES384', new Uint8Array()), {
    instanceOf: TypeError,
  })
})

test('a service’s first issuing authority ends with its root, however long it was asked for', async t => {
  const { root: made, issuing } = await createTestAuthority(trustDomain, new Date(now))
  const long = 4000 * 86_400
  const input = {
    crypto: embeddedCrypto,
    issuance: testAuthorityIssuance,
    trustDomain,
    now: new Date(now),
    serial: randomBytes(16),
    keys: issuing.keys,
    lifetimeSeconds: long,
  }
  const { certificate } = await createIssuing(input, made)
  t.is(certificate.notAfter.getTime(), made.certificate.notAfter.getTime())
  const before = await createIssuing({ ...input, now: new Date(now - hour) }, made)
  t.is(before.certificate.notBefore.getTime(), made.certificate.notBefore.getTime())
})

test('a trust domain that is too long for a common name stands in the alternative name alone', async t => {
  const { root: made } = await createTestAuthority(trustDomain, new Date(now))
  const domain = `${'a'.repeat(60)}.example`
  const { keys } = made
  const input = { crypto: embeddedCrypto, issuance: testAuthorityIssuance, keys }
  const serial = randomBytes(16)
  const { certificate } = await createRoot({
    ...input,
    trustDomain: domain,
    now: new Date(now),
    serial,
  })
  t.is(certificate.subject, 'CN=Assay root')
  t.is(
    new X509Certificate(new Uint8Array(certificate.rawData)).subjectAltName,
    `URI:spiffe://${domain}`,
  )
})
