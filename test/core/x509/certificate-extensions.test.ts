import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { oids } from '../../../swtpm/emulated/certificate.ts'
import { both, es256, leaf, leafParts, root, signedBy, tbsOf, withExtension } from './fixtures.ts'

const code = 'certificate-malformed'

const sequence = der.sequence()
const ia5 = (n: number, text: string): Uint8Array => der.implicitPrimitive(n, Buffer.from(text))
const san = (...names: Uint8Array[]): Uint8Array => der.sequence(...names)

const extensions = [
  ['an extended key usage of none', oids.extendedKeyUsage, { value: sequence }],
  ['an alternative name of none', oids.subjectAlternativeName, { value: sequence }],
  [
    'an alternative name that is no GeneralNames',
    oids.subjectAlternativeName,
    { value: Buffer.from('example.com') },
  ],
  [
    'a host name with an underscore',
    oids.subjectAlternativeName,
    { value: san(ia5(2, 'a_b.example')) },
  ],
  [
    'a host name that begins with a period',
    oids.subjectAlternativeName,
    { value: san(ia5(2, '.example')) },
  ],
  ['a lone wildcard', oids.subjectAlternativeName, { value: san(ia5(2, '*')) }],
  [
    'a mailbox with two at signs',
    oids.subjectAlternativeName,
    { value: san(ia5(1, 'a@b@c.example')) },
  ],
  [
    'an address with a mask',
    oids.subjectAlternativeName,
    { value: san(der.implicitPrimitive(7, new Uint8Array(8))) },
  ],
  ['a URI without a scheme', oids.subjectAlternativeName, { value: san(ia5(6, '//example')) }],
  ['a name of an unknown kind', oids.subjectAlternativeName, { value: san(ia5(9, 'a')) }],
  [
    'basic constraints with trailing bytes',
    oids.basicConstraints,
    { value: Uint8Array.of(0x30, 0, 0) },
  ],
  [
    'a negative path length',
    oids.basicConstraints,
    { value: der.sequence(der.booleanTrue, der.tlv(2, Uint8Array.of(0xff))) },
  ],
  ['a critical authority key identifier', oids.authorityKeyIdentifier, { critical: true }],
  [
    'a critical subject key identifier',
    oids.subjectKeyIdentifier,
    { critical: true, value: der.octetString(Uint8Array.of(1)) },
  ],
  ['name constraints of none', '2.5.29.30', { critical: true, value: sequence }],
  [
    'name constraints on a wildcard',
    '2.5.29.30',
    {
      critical: true,
      value: der.sequence(der.contextConstructed(0, der.sequence(ia5(2, '*.example')))),
    },
  ],
  [
    'name constraints with a mask full of holes',
    '2.5.29.30',
    {
      critical: true,
      value: der.sequence(
        der.contextConstructed(
          0,
          der.sequence(der.implicitPrimitive(7, Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0))),
        ),
      ),
    },
  ],
  [
    'a distribution point without names',
    '2.5.29.31',
    { value: der.sequence(der.sequence(der.contextConstructed(0, der.contextConstructed(0)))) },
  ],
] as const

for (const [what, oid, part] of extensions) {
  test(`refuses ${what}`, t => {
    t.throws(() => leaf(withExtension(oid, part)), { code })
  })
}

test('refuses an extension that occurs twice', t => {
  const twice = (parts: ReturnType<typeof leafParts>): ReturnType<typeof leafParts> => {
    const [first] = parts.extensions
    return { ...parts, extensions: first === undefined ? [] : [...parts.extensions, first] }
  }
  t.throws(() => leaf(twice), { code })
})

test('a root may number itself zero, and nobody else', t => {
  const parts = { ...leafParts(), serial: Uint8Array.of(0) }
  const own = tbsOf({ ...parts, issuer: parts.subject }, es256)
  t.notThrows(() => parseCertificate(signedBy(root, own)))
  t.throws(() => parseCertificate(signedBy(root, tbsOf(parts, es256))), { code })
})

test('critical extensions that are not known are listed, and so are those that may not be ignored', t => {
  const unknown = both(
    withExtension('1.3.6.1.4.1.99999.1', { critical: true, value: sequence }),
    withExtension('1.3.6.1.4.1.99999.2', { critical: false, value: sequence }),
    withExtension('2.5.29.36', { critical: false, value: sequence }),
  )
  t.deepEqual(leaf(unknown).unknownCritical, ['1.3.6.1.4.1.99999.1', '2.5.29.36'])
})

test('reads names of every kind, and locations with their reasons', t => {
  const registered = der.implicitPrimitive(8, der.objectIdentifier('1.2.3').subarray(2))
  const [x400, edi] = [3, 5].map(n => der.contextConstructed(n, der.sequence())) as [
    Uint8Array,
    Uint8Array,
  ]
  const other = der.contextConstructed(
    0,
    der.objectIdentifier('1.2.3'),
    der.contextConstructed(0, der.sequence()),
  )
  const value = san(registered, x400, edi, other, der.implicitPrimitive(7, new Uint8Array(4)))
  const { subjectAlternativeName = [] } = leaf(
    withExtension(oids.subjectAlternativeName, { value }),
  ).fields.extensions
  t.deepEqual(
    subjectAlternativeName.map(({ kind }) => kind),
    ['registered', 'x400', 'edi', 'other', 'ip'],
  )
  const location = ia5(6, 'http://pki.example/a b.crl')
  const point = der.sequence(
    der.contextConstructed(0, der.contextConstructed(0, location)),
    der.implicitPrimitive(1, Uint8Array.of(6, 0x40)),
    der.contextConstructed(2, ia5(6, 'http://other.example/')),
  )
  const relative = der.sequence(
    der.contextConstructed(0, der.contextConstructed(1, der.sequence())),
  )
  const points = der.sequence(point, relative, der.sequence())
  const read = leaf(withExtension('2.5.29.31', { value: points })).fields.extensions
  t.deepEqual(read.crlDistributionPoints, ['http://pki.example/a b.crl'])
})
