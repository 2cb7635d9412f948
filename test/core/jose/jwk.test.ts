import { createHash, createSecretKey, generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint } from 'jose'
import * as fc from 'fast-check'
import { JoseError } from '../../../src/core/jose/error.ts'
import { exportJwk, importJwk, parsePublicJwk, thumbprint } from '../../../src/core/jose/jwk.ts'
import { createTestKey } from '../../support/compact-jws.ts'

const { jwk } = createTestKey()
const wide = createTestKey('P-384').jwk

test('a public key on P-256 or P-384 is read, imported, and exported the same', t => {
  for (const key of [jwk, wide]) {
    t.deepEqual(parsePublicJwk(key), key)
    t.deepEqual(exportJwk(importJwk(key)), key)
  }
})

test('members beside the key itself are dropped', t => {
  t.deepEqual(parsePublicJwk({ ...jwk, kid: 'a', use: 'sig', alg: 'ES256', x5c: [] }), jwk)
  t.deepEqual(parsePublicJwk({ ...jwk, key_ops: ['verify'], ext: true }), jwk)
})

test('the thumbprint is that of RFC 7638, as another library computes it', async t => {
  for (const key of [jwk, wide]) t.is(thumbprint(key), await calculateJwkThumbprint({ ...key }))
})

test('the thumbprint does not depend on the order of members', t => {
  const { y, x, crv, kty } = jwk
  t.is(thumbprint({ y, x, crv, kty }), thumbprint(jwk))
})

const x = Buffer.from(jwk.x, 'base64url')
const malformed: Readonly<Record<string, unknown>> = {
  'no object': 'EC',
  null: null,
  'a list': [jwk],
  'another type': { ...jwk, kty: 'RSA' },
  'an octet key': { kty: 'oct' },
  'an Edwards key': { kty: 'OKP', crv: 'Ed25519', x: jwk.x },
  'another curve': { ...jwk, crv: 'secp256k1' },
  'P-521': { ...jwk, crv: 'P-521' },
  'the coordinates of another curve': { ...jwk, crv: 'P-384' },
  'a key for encryption': { ...jwk, use: 'enc' },
  'a key for deriving': { ...jwk, key_ops: ['deriveKey'] },
  'operations that are no list': { ...jwk, key_ops: 'verify' },
  'the algorithm of another curve': { ...jwk, alg: 'ES384' },
  'no y': { kty: 'EC', crv: 'P-256', x: jwk.x },
  'a coordinate that is a number': { ...jwk, x: 5 },
  'a coordinate that is too short': { ...jwk, x: x.subarray(1).toString('base64url') },
  'a coordinate with a zero before it': {
    ...jwk,
    x: Buffer.concat([Buffer.of(0), x]).toString('base64url'),
  },
  'a coordinate with padding': { ...jwk, x: `${jwk.x}=` },
  'a coordinate in the other alphabet': { ...jwk, x: `+${jwk.x.slice(1)}` },
  // 32 bytes leave two bits of the last character unused.
  'a coordinate with unused bits set': { ...jwk, x: unusedBitSet(jwk.x) },
}

function unusedBitSet(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.slice(-1)) | 1]
}

for (const [name, value] of Object.entries(malformed)) {
  test(`refuses a JWK of ${name}`, t => {
    t.throws(() => parsePublicJwk(value), { code: 'jwk-malformed' })
  })
}

for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
  test(`refuses a JWK with the private member ${member}, even an empty one`, t => {
    t.throws(() => parsePublicJwk({ ...jwk, [member]: '' }), { code: 'jwk-private' })
  })
}

test('refuses a point that is not on the curve', t => {
  const off = Buffer.from(jwk.y, 'base64url')
  off[31] = (off[31] ?? 0) ^ 1
  const bad = parsePublicJwk({ ...jwk, y: off.toString('base64url') })
  t.throws(() => importJwk(bad), { code: 'jwk-malformed' })
})

test('refuses the point at infinity and coordinates beyond the field', t => {
  for (const fill of [0, 0xff]) {
    const coordinate = Buffer.alloc(32, fill).toString('base64url')
    const bad = parsePublicJwk({ ...jwk, x: coordinate, y: coordinate })
    t.throws(() => importJwk(bad), { code: 'jwk-malformed' })
  }
})

test('no other kind of key has a JWK here', t => {
  const others = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
    generateKeyPairSync('ed25519').publicKey,
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey,
    generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey,
    createSecretKey(createHash('sha256').digest()),
  ]
  for (const key of others) t.throws(() => exportJwk(key), { code: 'jwk-malformed' })
})

test('the private half of a key leaves nothing private in its JWK', t => {
  const { privateKey, jwk: own } = createTestKey()
  t.deepEqual(exportJwk(privateKey), own)
})

test('any value is a JWK or refused by its code', t => {
  const near = fc.record(
    {
      kty: fc.constantFrom('EC', 'x'),
      crv: fc.constantFrom('P-256', 'y'),
      x: fc.anything(),
      y: fc.anything(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.anything(), near), value => {
      try {
        importJwk(parsePublicJwk(value))
        t.pass()
      } catch (error) {
        t.true(error instanceof JoseError)
      }
    }),
  )
})
