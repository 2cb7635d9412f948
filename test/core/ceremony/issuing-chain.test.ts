import test from 'ava'
import { verifyIssuingChain } from '../../../src/core/ceremony/issuing-chain.ts'
import * as der from '../../../src/core/der/writer.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import {
  buildOdd,
  day,
  extensionsOfAuthority as parts,
  makeAuthority,
  now,
  trustDomain,
} from './fixtures.ts'

const [rootKey, middleKey, issuingKey] = [
  createTestKey('P-384'),
  createTestKey('P-384'),
  createTestKey(),
]
const when = { trustDomain, now }
const root = await makeAuthority(rootKey, rootKey, { pathLength: 2 })
const middle = await makeAuthority(middleKey, rootKey, {
  issuer: root,
  subject: commonName('Middle'),
  pathLength: 1,
})
const issuing = await makeAuthority(issuingKey, middleKey, {
  issuer: middle,
  subject: commonName('Issuing'),
  pathLength: 0,
  notAfter: now + 30 * day,
})
const direct = await makeAuthority(issuingKey, rootKey, {
  issuer: root,
  subject: commonName('Issuing'),
  pathLength: 0,
})

test('an issuing authority below its root is one, with others in between or without', t => {
  t.is(verifyIssuingChain([issuing, middle, root], when).certificate.fields.encoded, issuing)
  t.is(verifyIssuingChain([direct, root], when).algorithm, 'ES256')
})

const openRoot = buildOdd([parts.constraints, parts.usage, parts.identifier], {}, rootKey)
const below = await makeAuthority(issuingKey, rootKey, {
  issuer: openRoot,
  signatureAlgorithm: 'ES384',
  subject: commonName('Issuing'),
  pathLength: 0,
  notBefore: now,
  notAfter: now + day / 2,
})
const shallowRoot = buildOdd(
  [
    { ...parts.constraints, value: der.sequence(der.booleanTrue, der.smallInteger(0)) },
    parts.usage,
    parts.identifier,
  ],
  {},
  rootKey,
)
const listless = buildOdd(
  [parts.constraints, { ...parts.usage, value: der.namedBits(0x04) }, parts.identifier],
  {},
  issuingKey,
)

const refusals: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
  ['no certificate', 'ceremony-chain', []],
  ['the root alone', 'ceremony-chain', [root]],
  [
    'more certificates than are ever there',
    'ceremony-chain',
    [issuing, middle, middle, middle, middle, root],
  ],
  ['no root', 'ceremony-chain', [issuing, middle]],
  ['a gap', 'path-issuer', [issuing, root]],
  ['a certificate that is not of it', 'ceremony-chain', [direct, middle, root]],
  ['an issuing authority that signs no lists', 'ceremony-issuer', [listless, root]],
  ['no certificate in a place', 'certificate-malformed', [issuing, middle.subarray(1), root]],
  ['a root that may have nothing below it', 'ceremony-chain', [below, shallowRoot]],
]

for (const [what, code, chain] of refusals) {
  test(`refuses a chain with ${what}`, t => {
    t.throws(() => verifyIssuingChain(chain, when), { code })
  })
}

test('a root that says nothing of its path length may have what it likes below it', t => {
  t.notThrows(() => verifyIssuingChain([below, openRoot], when))
})

test('a chain holds while its first certificate does, and for its trust domain', t => {
  const chain = [issuing, middle, root]
  t.throws(() => verifyIssuingChain(chain, { ...when, now: now + 31 * day }), {
    code: 'ceremony-issuer',
  })
  t.throws(() => verifyIssuingChain(chain, { ...when, trustDomain: 'example.com' }), {
    code: 'ceremony-issuer',
  })
})
