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
import {
  authorityDefects,
  authorityExtensions,
  authorityTerms,
  constrained,
  permittedHosts,
} from './authority-defects.ts'
import { certificateDefects } from './certificate-defects.ts'
import { hour } from './fixtures.ts'
import { certificate, extensions, terms } from './lint-fixtures.ts'
import { attested, svidDefects } from './svid-defects.ts'

const defects = [...authorityDefects, ...certificateDefects, ...svidDefects]

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
