import test from 'ava'
import { generateKeyPairSync } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseKnownCertificate } from '../../../src/core/x509/known-certificate.ts'
import { distinguishedName } from '../../../swtpm/emulated/certificate.ts'
import { es256, leaf, leafBytes, leafParts, root, sealed, signedBy, tbsOf } from './fixtures.ts'

const code = 'certificate-malformed'

test('reads what another library reads', t => {
  const bytes = leafBytes()
  const ours = parseCertificate(bytes)
  const theirs = new x509.X509Certificate(Uint8Array.from(bytes))
  t.is(
    Buffer.from(ours.fields.serialNumber).toString('hex').replace(/^00/, ''),
    theirs.serialNumber.replace(/^00/, ''),
  )
  t.is(ours.fields.notBefore, theirs.notBefore.getTime())
  t.is(ours.fields.notAfter, theirs.notAfter.getTime())
  t.deepEqual(
    Buffer.from(ours.fields.issuer.encoded),
    Buffer.from(theirs.issuerName.toArrayBuffer()),
  )
  t.is(ours.fields.rawExtensions.length, theirs.extensions.length)
  const key = ours.key?.export({ format: 'der', type: 'spki' })
  t.deepEqual(key, Buffer.from(theirs.publicKey.rawData))
})

test('refuses anything after the certificate and in front of it', t => {
  const bytes = leafBytes()
  t.throws(() => parseCertificate(Buffer.concat([bytes, Uint8Array.of(0)])), { code })
  t.throws(
    () => parseCertificate(Buffer.concat([Uint8Array.of(0x10, 1, 0, 1, 0, 0x10, 2), bytes])),
    { code },
  )
  t.throws(() => parseCertificate(Buffer.concat([bytes, new Uint8Array(192)])), { code })
  t.throws(() => parseCertificate(Buffer.concat([bytes, bytes])), { code })
})

test('refuses a certificate larger than 64 KiB', t => {
  t.throws(() => parseCertificate(new Uint8Array(0x1_0001)), { code })
})

/** TBSCertificate of a leaf with its members replaced by their index. */
function withMember(index: number, member: Uint8Array): Uint8Array {
  const parts = leafParts()
  const members = [
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(parts.serial),
    es256,
    parts.issuer,
    der.sequence(der.certificateTime(parts.notBefore), der.certificateTime(parts.notAfter)),
    parts.subject,
    parts.spki,
  ]
  members[index] = member
  return signedBy(root, der.sequence(...members))
}

const name = distinguishedName('a')

const malformed = [
  ['version 1', withMember(0, new Uint8Array())],
  ['version 2', withMember(0, der.contextConstructed(0, der.smallInteger(1)))],
  ['a negative serial number', withMember(1, der.tlv(2, Uint8Array.of(0x80)))],
  ['a serial number of 21 octets', withMember(1, der.unsignedInteger(new Uint8Array(21).fill(1)))],
  ['the serial number zero', withMember(1, der.smallInteger(0))],
  ['two signature algorithms', withMember(2, der.sequence(der.objectIdentifier('1.2.3')))],
  ['an empty relative name', withMember(3, der.sequence(der.tlv(0x31)))],
  [
    'a name of one attribute too many',
    withMember(
      5,
      der.sequence(
        ...Array.from({ length: 33 }, () =>
          der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String('a'))),
        ),
      ),
    ),
  ],
  [
    'a key with trailing bytes',
    withMember(
      6,
      der.sequence(
        der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1'), Uint8Array.of(5, 0)),
        der.bitString(
          Buffer.concat([
            der.sequence(
              der.unsignedInteger(Uint8Array.of(5)),
              der.unsignedInteger(Uint8Array.of(3)),
            ),
            Uint8Array.of(0),
          ]),
        ),
      ),
    ),
  ],
  [
    'an RSA key without parameters',
    withMember(
      6,
      der.sequence(
        der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1')),
        der.bitString(
          der.sequence(
            der.unsignedInteger(Uint8Array.of(5)),
            der.unsignedInteger(Uint8Array.of(3)),
          ),
        ),
      ),
    ),
  ],
  [
    'a point of the wrong length',
    withMember(
      6,
      der.sequence(
        der.sequence(
          der.objectIdentifier('1.2.840.10045.2.1'),
          der.objectIdentifier('1.2.840.10045.3.1.7'),
        ),
        der.bitString(Uint8Array.of(4, 1, 2)),
      ),
    ),
  ],
] as const

for (const [what, bytes] of malformed) {
  test(`refuses ${what}`, t => {
    t.throws(() => parseCertificate(bytes), { code })
  })
}

test('a twin with every member as it should be is read', t => {
  t.notThrows(() => parseCertificate(withMember(3, name)))
})

test('a key of another kind, curve or form is a value that says so', t => {
  const spki = (publicKey: {
    export(options: { format: 'der'; type: 'spki' }): Buffer
  }): Uint8Array => publicKey.export({ format: 'der', type: 'spki' })
  const keyOf = (encoded: Uint8Array): unknown =>
    leaf(parts => ({ ...parts, spki: encoded })).fields.publicKey
  t.like(keyOf(spki(generateKeyPairSync('ed25519').publicKey)), { kind: 'unsupported' })
  t.like(keyOf(spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)), {
    kind: 'unsupported',
  })
  const compressed = der.sequence(
    der.sequence(
      der.objectIdentifier('1.2.840.10045.2.1'),
      der.objectIdentifier('1.2.840.10045.3.1.7'),
    ),
    der.bitString(Buffer.concat([Uint8Array.of(2), new Uint8Array(32).fill(1)])),
  )
  t.like(keyOf(compressed), { kind: 'unsupported' })
})

test('a point off its curve gives no key', t => {
  const off = der.sequence(
    der.sequence(
      der.objectIdentifier('1.2.840.10045.2.1'),
      der.objectIdentifier('1.2.840.10045.3.1.7'),
    ),
    der.bitString(Buffer.concat([Uint8Array.of(4), new Uint8Array(64).fill(1)])),
  )
  t.is(leaf(parts => ({ ...parts, spki: off })).key, undefined)
})

test('names are the same whatever the type, case and spacing of their text', t => {
  const nameOf = (tag: number, text: string): Uint8Array =>
    der.sequence(
      der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.tlv(tag, Buffer.from(text)))),
    )
  const issued = (issuer: Uint8Array, subject: Uint8Array): boolean =>
    leaf(parts => ({ ...parts, issuer, subject })).isSelfIssued
  t.true(issued(nameOf(0x0c, 'Maker  of TPMs '), nameOf(0x13, 'maker of tpms')))
  t.false(issued(nameOf(0x0c, 'Maker of TPMs'), nameOf(0x0c, 'Maker of TPM')))
  t.false(issued(nameOf(0x0c, '#4:00'), nameOf(0x04, '\0')))
})

test('any truncation is a coded refusal', t => {
  const bytes = leafBytes()
  for (let length = 0; length < bytes.length; length += 1) {
    t.throws(() => parseCertificate(bytes.subarray(0, length)), { code })
  }
})

test('known certificates are read once, and not from bytes that change later', t => {
  const bytes = Uint8Array.from(leafBytes())
  const first = parseKnownCertificate(bytes)
  t.is(parseKnownCertificate(Uint8Array.from(bytes)), first)
  bytes.fill(0)
  t.is(first.fields.encoded[0], 0x30)
  t.throws(() => parseKnownCertificate(bytes), { code })
})

test('an unknown signature algorithm is a value that says so', t => {
  const unknown = der.sequence(der.objectIdentifier('1.2.3.4'))
  const bytes = sealed(tbsOf(leafParts(), unknown), unknown, new Uint8Array(8))
  t.is(parseCertificate(bytes).fields.algorithm, undefined)
})
