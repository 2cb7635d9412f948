import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { encodeEcSpki, importSpki } from '../../../src/core/jose/ec-key.ts'

for (const curve of ['P-256', 'P-384', 'P-521'] as const) {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const exported = publicKey.export({ format: 'der', type: 'spki' })
  const jwk = publicKey.export({ format: 'jwk' })
  const [x, y] = [jwk.x ?? '', jwk.y ?? ''].map(text => Buffer.from(text, 'base64url'))

  test(`a point on ${curve} is written as the runtime writes it, and read as the key it was`, t => {
    const spki = encodeEcSpki(curve, x ?? Buffer.alloc(0), y ?? Buffer.alloc(0))
    t.deepEqual(Buffer.from(spki), exported)
    t.true(importSpki(spki).equals(publicKey))
  })

  test(`a point that is not on ${curve} is no key`, t => {
    const wrong = Buffer.from(y ?? [])
    wrong[5]! ^= 1
    t.throws(() => importSpki(encodeEcSpki(curve, x ?? Buffer.alloc(0), wrong)))
    t.throws(() => importSpki(encodeEcSpki(curve, Buffer.alloc(x?.length ?? 0), wrong)))
  })
}

test('bytes that are no key, or more than a key, are refused', t => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  t.notThrows(() => importSpki(spki))
  t.throws(() => importSpki(new Uint8Array(0)))
  t.throws(() => importSpki(spki.subarray(0, -1)))
  t.throws(() => importSpki(Buffer.alloc(91)))
})
