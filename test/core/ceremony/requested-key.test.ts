import test from 'ava'
import { RequestedKey, verifyAuthorityRequest } from '../../../src/core/ceremony/requested-key.ts'
import { createCertificationRequest } from '../../../src/core/issuance/certification-request.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { openssl } from '../issuance/fixtures.ts'
import { signerOf } from '../issuance/authority-fixtures.ts'
import { goodRequest, greedyRequests, oddRequests, requestedSpki } from './odd-requests.ts'

test('a request for a key that signed it gives that key', t => {
  t.deepEqual(verifyAuthorityRequest(goodRequest).spki, requestedSpki)
})

for (const [what, request] of greedyRequests) {
  test(`a request with ${what} gives its key and nothing else`, t => {
    const key = verifyAuthorityRequest(request)
    t.deepEqual(key.spki, requestedSpki)
    t.deepEqual(Object.keys(key), [])
  })
}

for (const [what, code, request] of oddRequests) {
  test(`refuses a request with ${what} with ${code}`, t => {
    t.throws(() => verifyAuthorityRequest(request), { code })
  })
}

for (const curve of ['P-256', 'P-384'] as const) {
  test(`a request that is made here on ${curve} is read here and by openssl`, async t => {
    const key = createTestKey(curve)
    const spki = new Uint8Array(key.publicKey.export({ format: 'der', type: 'spki' }))
    const request = await createCertificationRequest(commonName('Next'), spki, signerOf(key))
    t.deepEqual(verifyAuthorityRequest(request).spki, spki)
    const body = Buffer.from(request)
      .toString('base64')
      .match(/.{1,64}/g)
      ?.join('\n')
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`
    const text = openssl(t, { 'a.csr': pem }, 'req', '-in', 'a.csr', '-verify', '-noout', '-text')
    t.regex(text, /Subject: CN ?= ?Next\n/)
  })
}

test('a requested key is made by its verification alone', t => {
  const bypass = RequestedKey as unknown as new (...args: unknown[]) => unknown
  t.throws(() => new bypass(Symbol('requested key'), new Uint8Array()), { instanceOf: TypeError })
})
