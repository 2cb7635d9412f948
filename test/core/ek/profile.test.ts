import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import {
  distinguishedName,
  oids,
  type CertificateEdit,
} from '../../../swtpm/emulated/certificate.ts'
import { tpmNames, tpmSpecification } from '../../../swtpm/emulated/manufacturer.ts'
import { both, now, withExtension, year } from '../x509/fixtures.ts'
import { eccKey, refusalOf, usage, verify } from './fixtures.ts'

const purposes = (...usages: string[]): CertificateEdit =>
  withExtension(oids.extendedKeyUsage, { value: der.sequence(...usages.map(der.objectIdentifier)) })

const alternative = (value: Uint8Array): CertificateEdit =>
  withExtension(oids.subjectAlternativeName, { value })
const specification = (value: Uint8Array | undefined): CertificateEdit =>
  withExtension(oids.subjectDirectoryAttributes, value === undefined ? undefined : { value })

const ekPurpose = '2.23.133.8.1'
const attributes = (...list: readonly (readonly [string, string])[]): Uint8Array[] =>
  list.map(([oid, text]) => der.sequence(der.objectIdentifier(oid), der.utf8String(text)))
const [manufacturer, model, version] = [
  ['2.23.133.2.1', 'id:00001014'],
  ['2.23.133.2.2', 'emulated'],
  ['2.23.133.2.3', 'id:00010002'],
] as const
const directory = (...list: readonly (readonly [string, string])[]): Uint8Array =>
  der.contextConstructed(4, der.sequence(...attributes(...list).map(der.setOf)))

/** A rule, an edit that breaks it, and a twin that comes as near as may be. */
const rules: readonly {
  readonly what: string
  readonly code: string
  readonly broken: CertificateEdit
  readonly twin: CertificateEdit
}[] = [
  {
    what: 'E2 no extended key usage',
    code: 'ek-extended-key-usage',
    broken: withExtension(oids.extendedKeyUsage, undefined),
    twin: purposes(ekPurpose),
  },
  {
    what: 'E2 another purpose alone',
    code: 'ek-extended-key-usage',
    broken: purposes('1.3.6.1.5.5.7.3.2'),
    twin: purposes('1.3.6.1.5.5.7.3.2', ekPurpose),
  },
  {
    what: 'E2 any purpose in place of the right one',
    code: 'ek-extended-key-usage',
    broken: purposes('2.5.29.37.0'),
    twin: both(purposes(ekPurpose), withExtension(oids.extendedKeyUsage, { critical: true })),
  },
  {
    what: 'E2 the purpose of attestation keys',
    code: 'ek-extended-key-usage',
    broken: purposes('2.23.133.8.3'),
    twin: purposes('2.23.133.8.3', ekPurpose),
  },
  {
    what: 'E3 signatures in place of key agreement',
    code: 'ek-key-usage',
    broken: usage(0x80),
    twin: usage(0x08),
  },
  {
    what: 'E3 signatures besides key agreement',
    code: 'ek-key-usage',
    broken: usage(0x88),
    twin: usage(0x28),
  },
  {
    what: 'E3 key encipherment for a key that only agrees',
    code: 'ek-key-usage',
    broken: usage(0x20),
    twin: usage(0x08),
  },
  {
    what: 'E3 no key usage',
    code: 'ek-key-usage',
    broken: withExtension(oids.keyUsage, undefined),
    twin: withExtension(oids.keyUsage, { critical: false }),
  },
  {
    what: 'E4 no alternative name',
    code: 'ek-subject-name',
    broken: both(withExtension(oids.subjectAlternativeName, undefined), parts => ({
      ...parts,
      subject: distinguishedName('TPM'),
    })),
    twin: parts => ({ ...parts, subject: distinguishedName('TPM') }),
  },
  {
    what: 'E4 two manufacturers',
    code: 'ek-subject-name',
    broken: alternative(der.sequence(directory(manufacturer, manufacturer, model, version))),
    twin: alternative(der.sequence(directory(manufacturer, model, version))),
  },
  {
    what: 'E4 two directory names',
    code: 'ek-subject-name',
    broken: alternative(
      der.sequence(
        directory(manufacturer, model, version),
        directory(manufacturer, model, version),
      ),
    ),
    twin: alternative(
      der.sequence(
        directory(manufacturer, model, version),
        der.implicitPrimitive(2, Buffer.from('tpm.example')),
      ),
    ),
  },
  {
    what: 'E4 no model',
    code: 'ek-subject-name',
    broken: alternative(der.sequence(directory(manufacturer, version))),
    twin: alternative(der.sequence(directory(version, model, manufacturer))),
  },
  {
    what: 'E4 a manufacturer that is no vendor id',
    code: 'ek-subject-name',
    broken: alternative(tpmNames('IBM')),
    twin: alternative(tpmNames('ID:00001014')),
  },
  {
    what: 'E4 another vendor than the anchor’s',
    code: 'ek-vendor',
    broken: alternative(tpmNames('id:49465800')),
    twin: alternative(tpmNames('id:00001014')),
  },
  {
    what: 'E5 an unknown critical extension',
    code: 'path-extension',
    broken: withExtension('1.2.3.4', { critical: true, value: der.sequence() }),
    twin: withExtension('1.2.3.4', { critical: false, value: der.sequence() }),
  },
  {
    what: 'E12 a TPM of family 1.2',
    code: 'ek-specification',
    broken: specification(tpmSpecification('1.2')),
    twin: specification(tpmSpecification('2.0')),
  },
  {
    what: 'E12 no specification',
    code: 'ek-specification',
    broken: specification(undefined),
    twin: specification(tpmSpecification('2.0')),
  },
  {
    what: 'E12 a specification that cannot be read',
    code: 'ek-specification',
    broken: specification(
      der.sequence(der.sequence(der.objectIdentifier('2.23.133.2.16'), der.setOf(der.sequence()))),
    ),
    twin: specification(tpmSpecification('2.0')),
  },
  {
    what: 'E13 a certificate whose time is over',
    code: 'ek-certificate-validity',
    broken: parts => ({ ...parts, notAfter: now - 1000 }),
    twin: parts => ({ ...parts, notAfter: Date.UTC(9999, 11, 31, 23, 59, 59) }),
  },
  {
    what: 'E13 a certificate whose time has not come',
    code: 'ek-certificate-validity',
    broken: parts => ({ ...parts, notBefore: now + 1000 }),
    twin: parts => ({ ...parts, notBefore: now }),
  },
  {
    what: 'E1 a certificate authority in place of an endorsement key',
    code: 'ek-certificate-authority',
    broken: withExtension(oids.basicConstraints, { value: der.sequence(der.booleanTrue) }),
    twin: withExtension(oids.basicConstraints, undefined),
  },
]

for (const { what, code, broken, twin } of rules) {
  test(`refuses ${what}`, t => {
    t.is(
      refusalOf(() => verify(broken)),
      code,
    )
  })
  test(`accepts the twin of ${what}`, t => {
    t.is(
      refusalOf(() => verify(twin)),
      undefined,
    )
  })
}

test('accepts the three names in one relative name, as printable strings', t => {
  const printable = [manufacturer, model, version].map(([oid, text]) =>
    der.sequence(der.objectIdentifier(oid), der.tlv(0x13, Buffer.from(text))),
  )
  const sorted = printable.toSorted((a, b) => Buffer.compare(a, b))
  const name = der.contextConstructed(4, der.sequence(der.tlv(0x31, ...sorted)))
  const key = verify(alternative(der.sequence(name)))
  t.deepEqual(key.identity, { vendor: 'id:00001014', model: 'emulated', version: 'id:00010002' })
})

test('E4 refuses a nameless certificate whose alternative name is not critical', t => {
  const loose = withExtension(oids.subjectAlternativeName, { critical: false })
  t.is(
    refusalOf(() => verify(loose)),
    'path-extension',
  )
  const named = both(loose, parts => ({ ...parts, subject: distinguishedName('TPM') }))
  t.is(
    refusalOf(() => verify(named)),
    undefined,
  )
})

test('E13 lets an expired certificate pass where the operator says so, and nothing above it', t => {
  const expired: CertificateEdit = parts => ({ ...parts, notAfter: now - 1000 })
  const policy = { expired: 'tolerate' } as const
  t.is(
    refusalOf(() => verify(expired, { policy })),
    undefined,
  )
  t.is(
    refusalOf(() => verify(expired, { policy, now: new Date(now + 20 * year) })),
    'path-validity',
  )
  const early: CertificateEdit = parts => ({ ...parts, notBefore: now + 1000 })
  t.is(
    refusalOf(() => verify(early, { policy })),
    'ek-certificate-validity',
  )
})

/** The extension of Google's virtual TPMs. */
function instance(isProduction: boolean): CertificateEdit {
  const flag = Uint8Array.of(1, 1, isProduction ? 0xff : 0)
  const properties = der.sequence(
    der.contextConstructed(0, der.smallInteger(0)),
    der.contextConstructed(1, flag),
    der.contextConstructed(2, flag),
  )
  const value = der.sequence(
    der.utf8String('zone'),
    der.smallInteger(1),
    der.utf8String('project'),
    der.smallInteger(2),
    der.utf8String('instance'),
    der.contextConstructed(0, properties),
  )
  return withExtension('1.3.6.1.4.1.11129.2.1.21', { value })
}

test('VT2 refuses a virtual TPM that is not in production, or whose statement cannot be read', t => {
  t.is(
    refusalOf(() => verify(instance(true))),
    undefined,
  )
  t.is(
    refusalOf(() => verify(instance(false))),
    'ek-production',
  )
  const broken = withExtension('1.3.6.1.4.1.11129.2.1.21', { value: der.sequence() })
  t.is(
    refusalOf(() => verify(broken)),
    'ek-production',
  )
})

test('the verdict names every rule that was held against the certificate', t => {
  const { checks } = verify(undefined, {}, eccKey)
  t.true(checks.every(({ outcome, source }) => outcome === 'pass' && source !== ''))
  const codes = checks.map(({ code }) => code)
  for (const { code } of rules)
    t.true(
      codes.some(each => each === code),
      code,
    )
  t.is(new Set(codes).size, codes.length)
})
