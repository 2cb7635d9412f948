import test from 'ava'
import { renewalIdOf, verifyRenewalRequest } from '../../../src/core/issuance/renewal-request.ts'
import { certificationRequest } from '../../support/certification-request.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { proofKeyOf } from './fixtures.ts'

test('a request is for the key on record when it names that key and is signed by it', t => {
  const key = createTestKey()
  const held = proofKeyOf(key)
  for (let count = 0; count < 2; count += 1)
    t.true(verifyRenewalRequest(certificationRequest(key), held))
})

test('a request for any other key is not, however well it is signed', t => {
  const key = createTestKey()
  t.false(verifyRenewalRequest(certificationRequest(createTestKey()), proofKeyOf(key)))
})

test('refuses a request for the key on record that another key signed', t => {
  const key = createTestKey()
  const csr = certificationRequest(key, createTestKey())
  t.throws(() => verifyRenewalRequest(csr, proofKeyOf(key)), { code: 'csr-signature' })
})

test('refuses a request that cannot be read, or with a byte behind it', t => {
  const key = createTestKey()
  const csr = certificationRequest(key)
  for (const bytes of [new Uint8Array(), csr.subarray(1), Buffer.concat([csr, Buffer.of(0)])])
    t.throws(() => verifyRenewalRequest(bytes, proofKeyOf(key)), { code: 'csr-malformed' })
})

test('a renewal is named by key and certificate, and by where one ends and the other begins', t => {
  const id = renewalIdOf('key', '0a1b')
  t.regex(id, /^[0-9a-f]{64}$/)
  t.is(renewalIdOf('key', '0a1b'), id)
  for (const [jkt, serial] of [
    ['key', '0a1c'],
    ['kez', '0a1b'],
    ['key0', 'a1b'],
  ] as const)
    t.not(renewalIdOf(jkt, serial), id)
})
