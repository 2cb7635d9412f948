import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { parseOcspResponse } from '../../../src/core/x509/ocsp.ts'
import { revocationStatusOf, type RevocationStatus } from '../../../src/core/x509/revocation.ts'
import { createAuthority, oids } from '../../../swtpm/emulated/certificate.ts'
import { authority, es256, leaf, now, root, withExtension } from './fixtures.ts'
import {
  certificateStatus,
  crlNumber,
  entry,
  list,
  response,
  serialOf,
  type ListParts,
} from './revocation-fixtures.ts'
import { certificate, freshness, issuer } from './revocation-stage.ts'

const day = 86_400_000

function byList(...lists: readonly Uint8Array[]): RevocationStatus {
  const sources = { lists: lists.map(parseCertificateList), responses: [] }
  return revocationStatusOf(certificate, issuer, sources, freshness)
}

const revokes = (parts: ListParts): ListParts => ({
  ...parts,
  entries: [entry(serialOf(certificate), 1)],
})

test('nobody’s word is no word', t => {
  t.like(byList(), { outcome: 'unavailable', source: 'none' })
})

test('a list of the issuer answers for what is not on it and what is', t => {
  t.like(byList(list()), { outcome: 'good', source: 'crl' })
  t.like(byList(list(revokes)), { outcome: 'revoked', source: 'crl', detail: 'keyCompromise' })
  const others = (parts: ListParts): ListParts => ({
    ...parts,
    entries: [entry(der.smallInteger(1))],
  })
  t.like(byList(list(others)), { outcome: 'good' })
})

test('one verified revocation outweighs a good word', t => {
  t.like(byList(list(), list(revokes)), { outcome: 'revoked' })
  const revoked = parseOcspResponse(
    response(certificate, parts => ({ ...parts, status: certificateStatus.revoked })),
  )
  const sources = { lists: [parseCertificateList(list())], responses: [revoked] }
  t.like(revocationStatusOf(certificate, issuer, sources, freshness), {
    outcome: 'revoked',
    source: 'ocsp',
  })
})

const stale = [
  ['whose next one is due', (parts: ListParts) => ({ ...parts, nextUpdate: now - 1000 })],
  ['from the future', (parts: ListParts) => ({ ...parts, thisUpdate: now + 1000 })],
  [
    'older than is accepted, whatever it says',
    (parts: ListParts) => ({ ...parts, thisUpdate: now - 8 * day }),
  ],
  [
    'without a next one, older than is accepted',
    (parts: ListParts) => ({ ...parts, thisUpdate: now - 8 * day, nextUpdate: undefined }),
  ],
] as const

for (const [what, edit] of stale) {
  test(`a list ${what} says nothing good, and still revokes`, t => {
    t.like(byList(list(edit)), { outcome: 'unavailable', source: 'crl' })
    t.like(byList(list(parts => revokes(edit(parts)))), { outcome: 'revoked' })
  })
}

test('a list that another signed neither clears nor revokes', t => {
  const impostor = createAuthority('Test intermediate', now)
  for (const edit of [revokes, (parts: ListParts): ListParts => parts]) {
    t.like(byList(list(edit, impostor)), {
      outcome: 'unavailable',
      detail: 'a list that the issuer did not sign',
    })
  }
})

test('a list of another issuer says nothing, although the number is on it', t => {
  t.like(byList(list(parts => ({ ...revokes(parts), issuer: root.name }), root)), {
    outcome: 'unavailable',
    source: 'none',
  })
})

test('a list for another key of the same name says nothing', t => {
  const value = der.sequence(der.implicitPrimitive(0, Uint8Array.of(1)))
  const named = { oid: oids.authorityKeyIdentifier, critical: false, value }
  const status = byList(list(parts => ({ ...parts, extensions: [crlNumber, named] })))
  t.like(status, { outcome: 'unavailable' })
})

test('an issuer that may not sign lists says nothing', t => {
  const edit = withExtension(oids.keyUsage, { value: der.namedBits(0x04) })
  const mute = authority('Test intermediate', edit)
  const parsed = parseCertificate(mute.certificate)
  const sources = { lists: [parseCertificateList(list(undefined, mute))], responses: [] }
  const status = revocationStatusOf(leaf(undefined, mute), parsed, sources, freshness)
  t.like(status, { outcome: 'unavailable', detail: 'a list of an issuer that may not sign lists' })
})

/** IssuingDistributionPoint with one flag. */
const scope = (n: number): ListParts['extensions'][number] => ({
  oid: '2.5.29.28',
  critical: true,
  value: der.sequence(der.implicitPrimitive(n, Uint8Array.of(0xff))),
})

test('a list of end entities answers for them, one of authorities does not', t => {
  const scoped = (n: number): Uint8Array =>
    list(parts => ({ ...parts, extensions: [crlNumber, scope(n)] }))
  t.like(byList(scoped(1)), { outcome: 'good' })
  t.like(byList(scoped(2)), { outcome: 'unavailable', detail: 'a list of other certificates' })
})

/** IssuingDistributionPoint of one part, by the URI where its list is published. */
const part = (uri: string): ListParts['extensions'][number] => ({
  oid: '2.5.29.28',
  critical: true,
  value: der.sequence(der.contextConstructed(0, pointName(uri))),
})
const pointName = (uri: string): Uint8Array =>
  der.contextConstructed(0, der.implicitPrimitive(6, Buffer.from(uri)))

test('a list of one part of the issuer’s certificates answers for those that name it', t => {
  const [one, two] = ['http://ek.example/1.crl', 'http://ek.example/2.crl']
  const point = der.sequence(der.sequence(der.contextConstructed(0, pointName(one))))
  const named = leaf(withExtension('2.5.29.31', { value: point }))
  const by = (uri: string, of = named): RevocationStatus => {
    const bytes = list(parts => ({ ...parts, extensions: [crlNumber, part(uri)] }))
    const sources = { lists: [parseCertificateList(bytes)], responses: [] }
    return revocationStatusOf(of, issuer, sources, freshness)
  }
  t.like(by(one), { outcome: 'good' })
  t.like(by(two), { outcome: 'unavailable', detail: 'a list of another part' })
  t.like(by(one, certificate), { outcome: 'unavailable', detail: 'a list of another part' })
})

test('a list that is signed with an unknown algorithm is nobody’s word', t => {
  const text = Buffer.from(list()).toString('hex')
  const [known, unknown] = [es256, Uint8Array.from(es256)].map(bytes => Buffer.from(bytes))
  unknown?.writeUInt8(0x7f, unknown.length - 1)
  const changed = text.replaceAll(known?.toString('hex') ?? '', unknown?.toString('hex') ?? '')
  t.not(changed, text)
  t.like(byList(Buffer.from(changed, 'hex')), {
    outcome: 'unavailable',
    detail: 'a list that the issuer did not sign',
  })
})

test('the number of a list is read, of twenty octets at most', t => {
  const numbered = (octets: number): Uint8Array => {
    const value = der.unsignedInteger(new Uint8Array(octets).fill(0x7f))
    return list(parts => ({ ...parts, extensions: [{ ...crlNumber, value }] }))
  }
  t.is(parseCertificateList(list()).number, 1n)
  t.is(parseCertificateList(numbered(20)).number, BigInt(`0x${'7f'.repeat(20)}`))
  t.throws(() => parseCertificateList(numbered(21)), { code: 'crl-malformed' })
})

const unreadable: readonly (readonly [string, (parts: ListParts) => ListParts])[] = [
  ['of version 1', parts => ({ ...parts, version: der.smallInteger(0) })],
  ['without a number', parts => ({ ...parts, extensions: [] })],
  ['without a number among its extensions', parts => ({ ...parts, extensions: [scope(1)] })],
  [
    'with a critical number',
    parts => ({ ...parts, extensions: [{ ...crlNumber, critical: true }] }),
  ],
  ['that is indirect', parts => ({ ...parts, extensions: [crlNumber, scope(4)] })],
  ['for some reasons', parts => ({ ...parts, extensions: [crlNumber, scope(3)] })],
  [
    'that is a delta',
    parts => ({
      ...parts,
      extensions: [crlNumber, { oid: '2.5.29.27', critical: true, value: der.smallInteger(1) }],
    }),
  ],
  [
    'with an entry of another issuer',
    parts => ({
      ...parts,
      entries: [
        {
          serial: der.smallInteger(1),
          extensions: [{ oid: '2.5.29.29', critical: true, value: der.sequence() }],
        },
      ],
    }),
  ],
]

for (const [what, edit] of unreadable) {
  test(`refuses a list ${what}`, t => {
    t.throws(() => parseCertificateList(list(edit)), { code: 'crl-malformed' })
  })
}

test('any truncation of a list is a coded refusal', t => {
  const bytes = list(revokes)
  for (let length = 0; length < bytes.length; length += 1) {
    t.throws(() => parseCertificateList(bytes.subarray(0, length)), { code: 'crl-malformed' })
  }
})
