import { readdirSync } from 'node:fs'
import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificateForm } from '../../../src/core/issuance/certificate-form.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import { LintError, type CertificateTerms } from '../../../src/core/issuance/lint.ts'
import {
  certificateLints,
  formLints,
  lintCertificate,
} from '../../../src/core/issuance/lint-table.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import {
  authorityDefects,
  authorityExtensions,
  authorityTerms,
  constrained,
  permittedHosts,
  type Defect,
} from './authority-defects.ts'
import { hour, now, spiffeId } from './fixtures.ts'
import {
  certificate,
  extensions,
  otherSpki,
  parts,
  purposes,
  purposesOf,
  terms,
  uris,
} from './lint-fixtures.ts'

const time = (tag: number, text: string): Uint8Array => der.tlv(tag, Buffer.from(text))
const ecdsaSha384 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.3'))
const defects: readonly Defect[] = [
  ...authorityDefects,
  ['no version', 'lint-version', { version: der.contextConstructed(0, der.smallInteger(1)) }],
  ['a version that is left out', 'lint-version', { version: Uint8Array.of() }],
  ['a serial number of zero', 'lint-serial-number', { serial: der.smallInteger(0) }],
  ['a negative serial number', 'lint-serial-number', { serial: der.tlv(2, Uint8Array.of(0x80)) }],
  ['a serial number without octets', 'lint-serial-number', { serial: der.tlv(2) }],
  ['a padded serial number', 'lint-serial-number', { serial: der.tlv(2, Uint8Array.of(0, 1)) }],
  [
    'a serial number of 21 octets',
    'lint-serial-number',
    { serial: der.tlv(2, Buffer.alloc(21, 1)) },
  ],
  ['a serial number of 63 random bits', 'lint-serial-entropy', { serial: der.smallInteger(7) }],
  [
    'a serial number of other octets than were drawn',
    'lint-serial-entropy',
    {},
    { serialRandom: Buffer.alloc(16, 3) },
  ],
  [
    'a source of randomness that gives a constant',
    'lint-serial-entropy',
    { serial: der.unsignedInteger(Buffer.alloc(16, 0x41)) },
    { serialRandom: Buffer.alloc(16, 0x41) },
  ],
  ['two signature algorithms', 'lint-signature-algorithm', { outerAlgorithm: ecdsaSha384 }],
  [
    'another algorithm than the issuer’s',
    'lint-signature-algorithm',
    { innerAlgorithm: ecdsaSha384, outerAlgorithm: ecdsaSha384 },
  ],
  ['another issuer', 'lint-issuer-name', { issuer: commonName('issuing authority') }],
  [
    'a GeneralizedTime before 2050',
    'lint-validity-encoding',
    { notAfter: time(0x18, '20260101000000Z') },
  ],
  ['a time without seconds', 'lint-validity-encoding', { notBefore: time(0x17, '2601010000Z') }],
  ['a time zone', 'lint-validity-encoding', { notBefore: time(0x17, '260101000000+0100') }],
  [
    'a fraction of a second',
    'lint-validity-encoding',
    { notAfter: time(0x18, '20510101000000.5Z') },
  ],
  ['a time that is no time', 'lint-validity-encoding', { notAfter: der.smallInteger(1) }],
  [
    'an extension twice',
    'lint-duplicate-extension',
    { extensions: [...extensions(), { id: ids.keyUsage, value: der.namedBits(0x80) }] },
  ],
  [
    'an extension too many',
    'lint-extension-set',
    { extensions: [...extensions(), { id: '1.2.3', value: der.smallInteger(1) }] },
  ],
  ['an extension too few', 'lint-extension-set', { extensions: extensions().slice(0, -1) }],
  [
    'an extension that is critical unasked',
    'lint-extension-set',
    {
      extensions: extensions([
        { id: ids.subjectAlternativeName, critical: true, value: uris(spiffeId) },
      ]),
    },
  ],
  ['another key', 'lint-subject-key', { spki: otherSpki }],
  [
    'a bit string with zeros behind it',
    'lint-strict-form',
    {
      extensions: extensions([
        { id: ids.keyUsage, critical: true, value: Buffer.from('03020080', 'hex') },
      ]),
    },
  ],
  [
    'an extension that cannot be read',
    'lint-strict-form',
    { extensions: extensions([{ id: ids.extendedKeyUsage, value: der.sequence() }]) },
  ],
  ['a common name of 65 characters', 'lint-subject-name', { subject: commonName('é'.repeat(65)) }],
  ['an empty common name', 'lint-subject-name', { subject: commonName('') }],
  ['a subject that is no text', 'lint-subject-name', { subject: nameOf(der.smallInteger(1)) }],
  [
    'an authority without a subject',
    'lint-subject-name',
    { subject: der.sequence(), extensions: extensions(authorityExtensions) },
    authorityTerms,
  ],
  [
    'an empty subject beside a name that is not critical',
    'lint-empty-subject',
    { subject: der.sequence() },
  ],
  [
    'a path length on a leaf',
    'lint-basic-constraints',
    {
      extensions: extensions([
        { id: ids.basicConstraints, critical: true, value: der.sequence(der.smallInteger(0)) },
      ]),
    },
  ],
  [
    'a leaf that is an authority',
    'lint-basic-constraints',
    {
      extensions: extensions([
        { id: ids.basicConstraints, critical: true, value: der.sequence(der.booleanTrue) },
      ]),
    },
  ],
  [
    'another path length than was promised',
    'lint-basic-constraints',
    { extensions: extensions(authorityExtensions) },
    { ...authorityTerms, authority: { pathLength: 1, maxPathLength: 1, curves: ['P-256'] } },
  ],
  [
    'basic constraints that are not critical',
    'lint-basic-constraints',
    { extensions: extensions([{ id: ids.basicConstraints, value: der.sequence() }]) },
    {
      extensions: terms.extensions.map(each => ({ ...each, isCritical: each.id === ids.keyUsage })),
    },
  ],
  [
    'no basic constraints',
    'lint-basic-constraints',
    { extensions: extensions().slice(1) },
    { extensions: terms.extensions.slice(1) },
  ],
  [
    'another key usage',
    'lint-key-usage',
    { extensions: extensions([{ id: ids.keyUsage, critical: true, value: der.namedBits(0xc0) }]) },
  ],
  [
    'no key usage',
    'lint-key-usage',
    { extensions: extensions().filter(({ id }) => id !== ids.keyUsage) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.keyUsage) },
  ],
  [
    'another purpose',
    'lint-extended-key-usage',
    { extensions: extensions([{ id: ids.extendedKeyUsage, value: purposes('OCSPSigning') }]) },
  ],
  [
    'no purposes',
    'lint-extended-key-usage',
    { extensions: extensions().filter(({ id }) => id !== ids.extendedKeyUsage) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.extendedKeyUsage) },
  ],
  [
    'a key identifier of another key',
    'lint-subject-key-identifier',
    {
      extensions: extensions([
        { id: ids.subjectKeyIdentifier, value: der.octetString(Buffer.alloc(20, 1)) },
      ]),
    },
  ],
  [
    'no key identifier',
    'lint-subject-key-identifier',
    { extensions: extensions().filter(({ id }) => id !== ids.subjectKeyIdentifier) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.subjectKeyIdentifier) },
  ],
  [
    'the key identifier of another issuer',
    'lint-authority-key-identifier',
    {
      extensions: extensions([
        {
          id: ids.authorityKeyIdentifier,
          value: der.sequence(der.implicitPrimitive(0, Buffer.alloc(20, 1))),
        },
      ]),
    },
  ],
  [
    'no key identifier of the issuer',
    'lint-authority-key-identifier',
    { extensions: extensions([{ id: ids.authorityKeyIdentifier, value: der.sequence() }]) },
  ],
  ['one second too many', 'lint-lifetime', { notAfter: der.certificateTime(now + hour - 30_000) }],
  ['no second at all', 'lint-lifetime', { notAfter: parts.notBefore }],
  [
    'an end behind its issuer’s',
    'lint-issuer-validity',
    {},
    { issuer: { ...terms.issuer, notAfter: now + hour - 32_000 } },
  ],
  [
    'a beginning before its issuer’s',
    'lint-issuer-validity',
    {},
    { issuer: { ...terms.issuer, notBefore: now - 29_000 } },
  ],
  ['two SPIFFE IDs', 'lint-svid-uri', { extensions: extensions([sans(spiffeId, `${spiffeId}x`)]) }],
  ['another SPIFFE ID', 'lint-svid-uri', { extensions: extensions([sans(`${spiffeId}x`)]) }],
  [
    'no SPIFFE ID',
    'lint-svid-uri',
    {
      extensions: extensions([
        {
          id: ids.subjectAlternativeName,
          value: der.sequence(der.implicitPrimitive(2, Buffer.from('a.example'))),
        },
      ]),
    },
  ],
  [
    'no alternative name',
    'lint-svid-uri',
    { extensions: extensions().filter(({ id }) => id !== ids.subjectAlternativeName) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.subjectAlternativeName) },
  ],
  [
    'a leaf with the SPIFFE ID of its trust domain',
    'lint-svid-path',
    { extensions: extensions([sans('spiffe://example.org')]) },
    { svid: 'spiffe://example.org' },
  ],
  [
    'an authority with a path in its SPIFFE ID',
    'lint-svid-path',
    { extensions: extensions([...authorityExtensions.slice(0, 2), sans(spiffeId)]) },
    { ...authorityTerms, svid: spiffeId },
  ],
  [
    'purposes without those of clients',
    'lint-svid-purposes',
    { extensions: extensions([{ id: ids.extendedKeyUsage, value: purposes('serverAuth') }]) },
    { extendedKeyUsage: purposesOf('serverAuth') },
  ],
  [
    'a key of an X509-SVID that is not for signing',
    'lint-svid-key-usage',
    { extensions: extensions([{ id: ids.keyUsage, critical: true, value: der.namedBits(0x08) }]) },
    { keyUsage: 0x10 },
  ],
  [
    'an authority that does not sign certificates',
    'lint-svid-key-usage',
    {
      extensions: extensions([
        authorityExtensions[0] as never,
        { id: ids.keyUsage, critical: true, value: der.namedBits(0x80) },
        sans('spiffe://example.org'),
      ]),
    },
    { ...authorityTerms, keyUsage: 1 },
  ],
  [
    'an end behind that of the Attestation Result',
    'lint-attestation-validity',
    {},
    { attestation: { ...attested(), expiresAt: now + hour - 30_001 } },
  ],
  [
    'another assurance level',
    'lint-assurance-level',
    {},
    { attestation: { ...attested(), assurance: 'emulated' } },
  ],
  [
    'an assurance level without attestation',
    'lint-assurance-level',
    {},
    { attestation: undefined },
  ],
  [
    'no assurance level',
    'lint-assurance-level',
    { extensions: extensions().filter(({ id }) => id !== ids.assuranceLevel) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.assuranceLevel) },
  ],
  [
    'another Attestation Result',
    'lint-attestation-result',
    {},
    { attestation: { ...attested(), resultSha256: 'cd'.repeat(32) } },
  ],
  [
    'no Attestation Result',
    'lint-attestation-result',
    { extensions: extensions().filter(({ id }) => id !== ids.attestationResult) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.attestationResult) },
  ],
  [
    'an Attestation Result without attestation',
    'lint-attestation-result',
    { extensions: extensions().filter(({ id }) => id !== ids.assuranceLevel) },
    {
      extensions: terms.extensions.filter(({ id }) => id !== ids.assuranceLevel),
      attestation: undefined,
    },
  ],
]

function sans(...texts: string[]): { id: string; value: Uint8Array } {
  return { id: ids.subjectAlternativeName, value: uris(...texts) }
}

function nameOf(value: Uint8Array): Uint8Array {
  return der.sequence(der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), value)))
}

function attested(): NonNullable<CertificateTerms['attestation']> {
  if (terms.attestation === undefined) throw new TypeError('the good terms have one')
  return terms.attestation
}

for (const [what, code, changes, others = {}] of defects) {
  test(`refuses ${what} with ${code}`, t => {
    const error = t.throws<LintError>(
      () => lintCertificate(certificate(changes), { ...terms, ...others }),
      {
        instanceOf: LintError,
      },
    )
    t.true(error.code === code, error.code)
  })
}

/** Of names of machines, which says nothing of URIs. */
const hostSubtree = der.sequence(der.implicitPrimitive(2, Buffer.from('a.example')))

test('a good certificate passes every lint, of a leaf and of an authority', t => {
  t.notThrows(() => lintCertificate(certificate(), terms))
  const authority = certificate({ extensions: extensions(authorityExtensions) })
  t.notThrows(() => lintCertificate(authority, { ...terms, ...authorityTerms }))
  const [below, narrow] = constrained(permittedHosts('example.org', 'example.com'), true)
  t.notThrows(() => lintCertificate(certificate(below), { ...terms, ...narrow }))
  const [open, wide] = constrained(der.sequence(der.contextConstructed(0, hostSubtree)), true)
  t.notThrows(() => lintCertificate(certificate(open), { ...terms, ...wide }))
  t.notThrows(() => lintCertificate(certificate(), { ...terms, svid: undefined }))
  t.notThrows(() => lintCertificate(certificate(), { ...terms, serialRandom: undefined }))
})

test('what is no certificate at all is refused as that', t => {
  for (const bytes of [Uint8Array.of(), der.sequence(), certificate().subarray(1)])
    t.throws(() => lintCertificate(bytes, terms), { code: 'lint-strict-form' })
})

test('a leaf that says it is an authority is one to the lint of X509-SVID as well', t => {
  const value = der.sequence(der.booleanTrue)
  const changes = extensions([{ id: ids.basicConstraints, critical: true, value }])
  t.deepEqual(findings(certificate({ extensions: changes }), terms), [
    'lint-basic-constraints',
    'lint-svid-authority',
  ])
  const issuing = extensions([{ id: ids.keyUsage, critical: true, value: der.namedBits(0x84) }])
  t.deepEqual(findings(certificate({ extensions: issuing }), terms), [
    'lint-key-usage',
    'lint-svid-key-usage',
    'lint-authority-usage',
  ])
})

/** Every lint's own word. */
function findings(bytes: Uint8Array, against: CertificateTerms): string[] {
  const [form, parsed] = [parseCertificateForm(bytes), parseCertificate(bytes)]
  return [
    ...formLints.filter(lint => lint.find(form, against) !== undefined),
    ...certificateLints.filter(lint => lint.find(parsed, against) !== undefined),
  ].map(({ code }) => code)
}

test('an X509-SVID says what its key is for', t => {
  const without = extensions().filter(({ id }) => id !== ids.keyUsage)
  t.deepEqual(findings(certificate({ extensions: without }), terms), [
    'lint-extension-set',
    'lint-key-usage',
    'lint-svid-key-usage',
  ])
})

test('a certificate without any extension is refused for that', t => {
  const bare = certificate({ extensions: [] })
  t.throws(() => lintCertificate(bare, terms), { code: 'lint-extension-set' })
})

test('times from 2050 on are GeneralizedTime', t => {
  const far = Date.UTC(2051, 0, 1)
  const issuer = { ...terms.issuer, notAfter: far + hour }
  const changes = { notAfter: der.certificateTime(far) }
  const attestation = { ...attested(), expiresAt: far + hour }
  const long = { ...terms, issuer, attestation, maxLifetimeSeconds: 1e10 }
  t.notThrows(() => lintCertificate(certificate(changes), long))
})

test('each lint is a file with a code, a sentence and a source of its own, and each is tested here', t => {
  const lints = [...formLints, ...certificateLints]
  const folder = new URL('../../../src/core/issuance/lints/', import.meta.url)
  const files = readdirSync(folder).map(name => `lint-${name.replace('.ts', '')}`)
  t.deepEqual(lints.map(({ code }) => code).toSorted(), files.toSorted() as never)
  for (const { summary, source } of lints) {
    t.regex(summary, /^[A-Z].*\.$/)
    t.regex(source, /§|ca\/profiles/)
  }
  const tested = new Set<string>([...defects.map(([, code]) => code), 'lint-svid-authority'])
  t.deepEqual(
    files.filter(code => !tested.has(code)),
    [],
  )
})
