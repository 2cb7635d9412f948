import * as der from '../../../src/core/der/writer.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import { authorityExtensions, authorityTerms, type Defect } from './authority-defects.ts'
import { hour, now, spiffeId } from './fixtures.ts'
import { extensions, otherSpki, parts, purposes, terms, uris } from './lint-fixtures.ts'

const time = (tag: number, text: string): Uint8Array => der.tlv(tag, Buffer.from(text))
const ecdsaSha384 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.3'))

/** What RFC 5280 and the profile do not let a certificate of these terms say. */
export const certificateDefects: readonly Defect[] = [
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
]

function nameOf(value: Uint8Array): Uint8Array {
  return der.sequence(der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), value)))
}
