import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { verifyCertified, verifyIssuer } from '../../../src/core/ceremony/authority.ts'
import { encodeNameConstraints } from '../../../src/core/ceremony/name-constraints.ts'
import * as der from '../../../src/core/der/writer.ts'
import type { BuiltExtension } from '../../support/certificate-builder.ts'
import {
  buildOdd,
  day,
  extensionsOfAuthority as parts,
  makeAuthority,
  now,
  rootKey,
  spkiOf,
  trustDomain,
} from './fixtures.ts'

const { constraints, usage, identifier, name } = parts
const wanted = { trustDomain, now, usage: 'keyCertSign' } as const
const good = [constraints, usage, identifier, name]
const root = await makeAuthority(rootKey, rootKey, {})

test('an authority in force issues, with the algorithm of its key', t => {
  const issuer = verifyIssuer(root, wanted)
  t.is(issuer.algorithm, 'ES384')
  t.deepEqual(issuer.spki, spkiOf(rootKey))
  t.is(verifyIssuer(buildOdd(good), wanted).algorithm, 'ES256')
  t.notThrows(() => verifyCertified(root, wanted))
})

test('an authority above several trust domains names none, and a list is of none', t => {
  t.notThrows(() => verifyIssuer(buildOdd(good.slice(0, 3)), wanted))
  t.throws(() => verifyIssuer(root, { ...wanted, trustDomain: 'other.example' }), {
    code: 'ceremony-issuer',
  })
  t.notThrows(() => verifyIssuer(root, { now, usage: 'cRLSign' }))
})

const replaced = (...changes: readonly BuiltExtension[]): BuiltExtension[] =>
  good.map(extension => changes.find(({ id }) => id === extension.id) ?? extension)

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsa = publicKey.export({ format: 'der', type: 'spki' })

const refusals: readonly (readonly [string, string, Uint8Array])[] = [
  ['no authority', 'issuer', buildOdd([usage, identifier])],
  ['an end entity', 'issuer', buildOdd(replaced({ ...constraints, value: der.sequence() }))],
  [
    'constraints that are not critical',
    'issuer',
    buildOdd(replaced({ ...constraints, critical: false })),
  ],
  ['no key usage', 'issuer', buildOdd([constraints, identifier])],
  [
    'the right to sign lists alone',
    'issuer',
    buildOdd(replaced({ ...usage, value: der.namedBits(0x02) })),
  ],
  ['no key identifier', 'issuer', buildOdd([constraints, usage])],
  ['no name', 'issuer', buildOdd(good, { subject: der.sequence() })],
  ['a time that is over', 'issuer', buildOdd(good, { notAfter: der.certificateTime(now - 1000) })],
  ['a time to come', 'issuer', buildOdd(good, { notBefore: der.certificateTime(now + 1000) })],
  ['an RSA key', 'key', buildOdd(good, { spki: rsa })],
]

for (const [what, code, certificate] of refusals) {
  test(`refuses an issuer with ${what}`, t => {
    t.throws(() => verifyIssuer(certificate, wanted), { code: `ceremony-${code}` })
  })

  test(`refuses to certify across one with ${what}`, t => {
    const expected = code === 'issuer' ? 'ceremony-certified' : `ceremony-${code}`
    t.throws(() => verifyCertified(certificate, wanted), { code: expected })
  })
}

test('who signs certificates alone signs no list', t => {
  const certificate = buildOdd(replaced({ ...usage, value: der.namedBits(0x04) }))
  t.notThrows(() => verifyIssuer(certificate, wanted))
  t.throws(() => verifyIssuer(certificate, { now, usage: 'cRLSign' }), { code: 'ceremony-issuer' })
})

test('what is no certificate is refused as that', t => {
  t.throws(() => verifyIssuer(privateKey.export({ format: 'der', type: 'pkcs8' }), wanted), {
    code: 'certificate-malformed',
  })
  t.throws(() => verifyIssuer(root, { ...wanted, now: now + 2000 * day }), {
    code: 'ceremony-issuer',
  })
})

test('constraints permit something', t => {
  t.throws(() => encodeNameConstraints({}), { instanceOf: TypeError })
  const both = encodeNameConstraints({ uriHosts: ['a.example'], dnsNames: ['b.example'] })
  t.regex(Buffer.from(both).toString('latin1'), /a\.example.*b\.example/s)
})
