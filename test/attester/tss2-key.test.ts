import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { AttesterError, type AttesterErrorCode } from '../../src/attester/error.ts'
import { encodePem } from '../../src/attester/pem.ts'
import { parseSigningKey } from '../../src/attester/signing-key.ts'
import { encodeTss2Key, parseTss2Key, type Tss2Key } from '../../src/attester/tss2-key.ts'
import { sized, u32 } from '../../src/core/bytes/encode.ts'
import * as der from '../../src/core/der/writer.ts'
import { parseTpmtPublic, encodeTpmtPublic } from '../../src/core/tpm/public.ts'
import { subjectKeyTemplate } from '../../src/core/tpm/templates.ts'
import { absenceOf, hasVectors, vectorsFolder } from '../support/vectors.ts'

// The generator of P-256: a point that no TPM holds.
const x = Buffer.from('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296', 'hex')
const y = Buffer.from('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5', 'hex')
const area = parseTpmtPublic(subjectKeyTemplate())
const publicArea = encodeTpmtPublic({ ...area, x, y } as typeof area)
const privatePart = new Uint8Array(126).fill(5)
const plain: Tss2Key = {
  kind: 'loadable',
  emptyAuth: true,
  parent: 0x4000_0001,
  public: publicArea,
  private: privatePart,
}
const full: Tss2Key = {
  kind: 'importable',
  emptyAuth: false,
  policy: [{ commandCode: 0x17f, commandPolicy: Uint8Array.of(1, 2, 3) }],
  secret: Uint8Array.of(9, 9),
  authPolicy: [
    { name: 'löschen', policy: [] },
    { policy: [{ commandCode: 0x80000001, commandPolicy: new Uint8Array() }] },
  ],
  description: 'a key of the twenty-fourth of November',
  rsaParent: true,
  parent: 0x8100_0001,
  public: publicArea,
  private: privatePart,
}

/** A file put together member by member, so that each may be wrong. */
function file(members: {
  readonly type?: Uint8Array
  readonly optional?: readonly Uint8Array[]
  readonly parent?: Uint8Array
  readonly public?: Uint8Array
  readonly behind?: readonly Uint8Array[]
  readonly label?: string
}): string {
  return encodePem(
    members.label ?? 'TSS2 PRIVATE KEY',
    der.sequence(
      members.type ?? der.objectIdentifier('2.23.133.10.1.3'),
      ...(members.optional ?? [der.contextConstructed(0, der.booleanTrue)]),
      members.parent ?? der.unsignedInteger(u32(0x4000_0001)),
      members.public ?? der.octetString(sized(publicArea)),
      der.octetString(sized(privatePart)),
      ...(members.behind ?? []),
    ),
  )
}

/** The same with each octet string in hexadecimal: views and buffers compare alike. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, comparable(each)]))
}

for (const [what, key] of [
  ['the least that there can be', plain],
  ['every member', full],
  ['sealed data', { ...plain, kind: 'sealed' }],
] as const) {
  test(`reads what it wrote: ${what}`, t => {
    const pem = encodeTss2Key(key)
    const read = parseTss2Key(pem)
    t.deepEqual(comparable(read), comparable(key))
    t.is(encodeTss2Key(read), pem)
  })
}

test('writes TRUE as FF and a persistent parent as a positive number', t => {
  const pem = encodeTss2Key({ ...plain, parent: 0x8100_0001 })
  const encoded = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64').toString('hex')
  t.true(encoded.includes('a0030101ff'))
  t.true(encoded.includes('02050081000001'))
})

test('writes what openssl reads as ASN.1', t => {
  const listing = execFileSync('openssl', ['asn1parse'], { input: encodeTss2Key(full) }).toString()
  t.regex(listing, /OBJECT\s+:2\.23\.133\.10\.1\.4/)
  t.regex(listing, /INTEGER\s+:81000001/)
})

const lenient: Readonly<Record<string, [string, Partial<Tss2Key>]>> = {
  'TRUE as 01': [
    file({ optional: [der.contextConstructed(0, Uint8Array.of(1, 1, 1))] }),
    { emptyAuth: true },
  ],
  'FALSE spelt out': [
    file({ optional: [der.contextConstructed(0, Uint8Array.of(1, 1, 0))] }),
    { emptyAuth: false },
  ],
  'no word on the authValue': [file({ optional: [] }), { emptyAuth: false }],
  'a parent as a negative number': [
    file({ parent: Uint8Array.of(2, 4, 0x81, 0, 0, 1) }),
    { parent: 0x8100_0001 },
  ],
  'a parent as a positive number': [
    file({ parent: Uint8Array.of(2, 5, 0, 0x81, 0, 0, 1) }),
    { parent: 0x8100_0001 },
  ],
  'the older label': [file({ label: 'TSS2 KEY BLOB' }), { kind: 'loadable' }],
  'the older identifier': [
    file({ type: der.objectIdentifier('2.23.133.10.2') }),
    { kind: 'loadable' },
  ],
  'text around the file': [`A key.\n${file({})}\nThat was it.\n`, { kind: 'loadable' }],
  'lines that end as on Windows': [file({}).replaceAll('\n', '\r\n'), { kind: 'loadable' }],
}

for (const [what, [pem, expected]] of Object.entries(lenient)) {
  test(`reads ${what}`, t => {
    t.like(comparable(parseTss2Key(pem)), expected)
  })
}

const malformed: Readonly<Record<string, string>> = {
  'no PEM': 'a text',
  'another label': file({ label: 'PRIVATE KEY' }),
  'two files': file({}) + file({}),
  'labels that differ': file({}).replace('END TSS2 PRIVATE KEY', 'END TSS2 KEY BLOB'),
  'characters that are not base64': file({}).replace(/\n(.)/, '\n*$1'),
  'an identifier that is not of a TPM key': file({
    type: der.objectIdentifier('1.2.840.10045.2.1'),
  }),
  'members out of order': file({
    optional: [
      der.contextConstructed(5, der.booleanTrue),
      der.contextConstructed(0, der.booleanTrue),
    ],
  }),
  'a member that is not known': file({ optional: [der.contextConstructed(6, der.booleanTrue)] }),
  'a parent of 40 bits': file({ parent: Uint8Array.of(2, 5, 1, 0, 0, 0, 0) }),
  'a negative parent of 16 bits': file({ parent: Uint8Array.of(2, 2, 0x81, 0) }),
  'a parent that is not in its shortest form': file({
    parent: Uint8Array.of(2, 5, 0, 0x40, 0, 0, 1),
  }),
  'an empty parent': file({ parent: Uint8Array.of(2, 0) }),
  'a public area longer than its size': file({
    public: der.octetString(Buffer.concat([sized(publicArea), u32(0)])),
  }),
  'a public area shorter than its size': file({
    public: der.octetString(sized(publicArea).subarray(0, -1)),
  }),
  'bytes behind the last member': file({ behind: [der.booleanTrue] }),
  'a description that is not UTF-8': file({
    optional: [der.contextConstructed(4, Uint8Array.of(0x0c, 1, 0xff))],
  }),
}

for (const [what, pem] of Object.entries(malformed)) {
  test(`refuses ${what}`, t => {
    t.is(t.throws(() => parseTss2Key(pem), { instanceOf: AttesterError }).code, 'tss2-malformed')
  })
}

test('reads or refuses whatever one octet is changed to, and never fails otherwise', t => {
  const encoded = Buffer.from(encodeTss2Key(full).split('\n').slice(1, -2).join(''), 'base64')
  for (let at = 0; at < encoded.length; at += 1) {
    for (const change of [1, 0x80, 0xff]) {
      const changed = Buffer.from(encoded)
      changed[at] = (changed[at] ?? 0) ^ change
      try {
        parseTss2Key(encodePem('TSS2 PRIVATE KEY', changed))
      } catch (error) {
        t.is(error instanceof AttesterError ? error.code : error, 'tss2-malformed', `octet ${at}`)
      }
    }
  }
})

test('refuses a file cut at any offset', t => {
  const encoded = Buffer.from(encodeTss2Key(plain).split('\n').slice(1, -2).join(''), 'base64')
  for (let length = 0; length < encoded.length; length += 1) {
    const pem = encodePem('TSS2 PRIVATE KEY', encoded.subarray(0, length))
    t.is(t.throws(() => parseTss2Key(pem), { instanceOf: AttesterError }).code, 'tss2-malformed')
  }
})

test('takes a key that is born in a TPM and fixed to it', t => {
  const key = parseSigningKey(publicArea)
  t.is(key.algorithm.name, 'ES256')
  t.is(key.jwk.x, x.toString('base64url'))
})

const attributes = area.objectAttributes
const refused: Readonly<Record<string, [Partial<typeof area>, AttesterErrorCode]>> = {
  'fixedTPM clear': [{ objectAttributes: attributes & ~0x2 }, 'tss2-exportable'],
  'fixedParent clear': [{ objectAttributes: attributes & ~0x10 }, 'tss2-exportable'],
  'sensitiveDataOrigin clear': [{ objectAttributes: attributes & ~0x20 }, 'tss2-exportable'],
  'sign clear': [{ objectAttributes: attributes & ~0x40000 }, 'tss2-exportable'],
  'restricted set': [{ objectAttributes: attributes | 0x10000 }, 'tss2-exportable'],
  'decrypt set': [{ objectAttributes: attributes | 0x20000 }, 'tss2-exportable'],
  'a reserved bit set': [{ objectAttributes: attributes | 0x100 }, 'tss2-exportable'],
  'no use by authValue': [{ objectAttributes: attributes & ~0x40 }, 'tss2-policy'],
  'a scheme of SHA-1': [{ scheme: { scheme: 0x18, hash: 0x4 } }, 'tss2-algorithm'],
  'a scheme for key agreement': [{ scheme: { scheme: 0x19, hash: 0xb } }, 'tss2-algorithm'],
  'a curve of another size': [{ curveId: 5 }, 'tss2-algorithm'],
}

for (const [what, [change, code]] of Object.entries(refused)) {
  test(`refuses to sign with a key that has ${what}`, t => {
    const changed = encodeTpmtPublic({ ...area, x, y, ...change } as typeof area)
    t.is(t.throws(() => parseSigningKey(changed), { instanceOf: AttesterError }).code, code)
  })
}

test('refuses to sign with a key that is not on its curve, and with what is no key', t => {
  const moved = encodeTpmtPublic({ ...area, x: y, y: x } as typeof area)
  t.is(t.throws(() => parseSigningKey(moved), { instanceOf: AttesterError }).code, 'tss2-algorithm')
  const sealed = Buffer.from('0008000b00000452000000100000', 'hex')
  t.is(
    t.throws(() => parseSigningKey(sealed), { instanceOf: AttesterError }).code,
    'tss2-malformed',
  )
})

test('reads the files of other tools and writes them again, and refuses their exportable keys', t => {
  if (!hasVectors()) {
    t.pass(absenceOf(vectorsFolder))
    return
  }
  const folder = join(vectorsFolder, 'tss2-key')
  const names = readdirSync(folder)
  t.true(names.length >= 4)
  for (const name of names) {
    const key = parseTss2Key(readFileSync(join(folder, name), 'utf8'))
    t.deepEqual(comparable(parseTss2Key(encodeTss2Key(key))), comparable(key), name)
    const error = t.throws(() => parseSigningKey(key.public), { instanceOf: AttesterError })
    t.is(error.code, 'tss2-exportable', name)
  }
})
