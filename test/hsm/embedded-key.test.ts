import { generateKeyPairSync, verify } from 'node:crypto'
import test from 'ava'
import { createEmbeddedSigner, embeddedCrypto, exportPkcs8 } from '../../src/hsm/embedded-key.ts'

const message = Buffer.from('what is signed')

test('an embedded key signs with the algorithm of its own type', async t => {
  for (const [namedCurve, algorithm, hash] of [
    ['P-256', 'ES256', 'sha256'],
    ['P-384', 'ES384', 'sha384'],
  ] as const) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
    const signer = createEmbeddedSigner(
      privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    )
    t.is(signer.algorithm, algorithm)
    t.deepEqual(Buffer.from(signer.publicKey), publicKey.export({ format: 'der', type: 'spki' }))
    const signature = await signer.sign(message)
    t.true(verify(hash, message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature))
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const signer = createEmbeddedSigner(privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
  t.is(signer.algorithm, 'Ed25519')
  t.true(verify(null, message, publicKey, await signer.sign(message)))
})

test('a key of another kind is none for signing here', t => {
  const others = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
    generateKeyPairSync('x25519').privateKey,
  ]
  for (const key of others) {
    const pem = key.export({ format: 'pem', type: 'pkcs8' }) as string
    t.throws(() => createEmbeddedSigner(pem), { instanceOf: TypeError })
  }
})

test('a key of a ceremony is exported in the form that a signer reads', async t => {
  const keys = await embeddedCrypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['sign', 'verify'],
  )
  const pem = await exportPkcs8(keys.privateKey)
  t.regex(pem, /^-----BEGIN PRIVATE KEY-----\n/)
  t.is(createEmbeddedSigner(pem).algorithm, 'ES256')
})
