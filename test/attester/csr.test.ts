import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import test from 'ava'
import { createCertificationRequest } from '../../src/attester/csr.ts'
import { exportJwk } from '../../src/core/jose/jwk.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../../src/core/x509/certification-request.ts'

for (const [algorithm, namedCurve, hash] of [
  ['ES256', 'P-256', 'sha256'],
  ['ES384', 'P-384', 'sha384'],
] as const) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const signer = {
    algorithm,
    jwk: exportJwk(publicKey),
    sign: async (message: Uint8Array) => {
      return await Promise.resolve(
        sign(hash, message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      )
    },
  }

  test(`makes a request of an ${algorithm} key that the service reads and verifies`, async t => {
    const request = parseCertificationRequest(await createCertificationRequest(signer))
    t.notThrows(() => verifyCertificationRequest(request, publicKey))
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    t.deepEqual(Buffer.from(request.subjectPublicKeyInfo), spki)
  })

  test(`makes a request of an ${algorithm} key that openssl verifies, with nothing asked for`, async t => {
    // A signature of each length that DER gives r and s: leading zeros and sign bits come up by chance.
    for (let round = 0; round < 20; round += 1) {
      const input = await createCertificationRequest(signer)
      const args = ['req', '-inform', 'DER', '-verify', '-noout', '-text']
      const text = execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'ignore'] })
      t.regex(text.toString(), /Subject:\s*\n/)
      t.regex(text.toString(), /Attributes:\s+\(none\)/)
    }
  })
}

test('makes a request that does not verify when another key signed it', async t => {
  const one = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const request = await createCertificationRequest({
    algorithm: 'ES256',
    jwk: exportJwk(one.publicKey),
    sign: async message => {
      const key = { key: other.privateKey, dsaEncoding: 'ieee-p1363' } as const
      return await Promise.resolve(sign('sha256', message, key))
    },
  })
  const parsed = parseCertificationRequest(request)
  const error = t.throws(() => verifyCertificationRequest(parsed, one.publicKey))
  t.is((error as unknown as { code: string }).code, 'csr-signature')
})
