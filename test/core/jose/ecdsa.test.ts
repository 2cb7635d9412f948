import { generateKeyPairSync, sign, verify } from 'node:crypto'
import test from 'ava'
import { encodeEcdsaValue, isEcdsaSignature, signEcdsa } from '../../../src/core/jose/ecdsa.ts'

const curves = [
  { namedCurve: 'P-256', hash: 'sha256', coordinateLength: 32 },
  { namedCurve: 'P-384', hash: 'sha384', coordinateLength: 48 },
]

for (const { namedCurve, hash, coordinateLength } of curves) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const dsaEncoding = 'ieee-p1363'

  // One signature in 128 has a half that begins with a zero octet.
  test(`signs as the runtime does in fixed length, on ${namedCurve}, short halves too`, t => {
    for (let n = 0; n < 600; n += 1) {
      const message = Buffer.from(`message ${n}`)
      const signature = signEcdsa(hash, message, privateKey, coordinateLength)
      t.is(signature.length, 2 * coordinateLength)
      if (!verify(hash, message, { key: publicKey, dsaEncoding }, signature)) t.fail(`${n}`)
    }
  })

  test(`verifies what the runtime signed in fixed length, on ${namedCurve}, and nothing else`, t => {
    for (let n = 0; n < 300; n += 1) {
      const message = Buffer.from(`message ${n}`)
      const signature = sign(hash, message, { key: privateKey, dsaEncoding })
      if (!isEcdsaSignature(hash, message, publicKey, signature)) t.fail(`${n}`)
      signature[n % signature.length]! ^= 1 << (n % 8)
      if (isEcdsaSignature(hash, message, publicKey, signature)) t.fail(`${n}, changed`)
    }
    t.pass()
  })

  test(`refuses signatures of no, odd, short or great length, on ${namedCurve}`, t => {
    const message = Buffer.from('message')
    const signature = sign(hash, message, { key: privateKey, dsaEncoding })
    t.true(isEcdsaSignature(hash, message, publicKey, signature))
    const others = [
      Buffer.alloc(0),
      signature.subarray(1),
      signature.subarray(0, -1),
      signature.subarray(2),
      Buffer.concat([signature, Buffer.alloc(2)]),
      Buffer.alloc(200, 1),
      Buffer.alloc(2 * coordinateLength),
      Buffer.alloc(2 * coordinateLength, 0xff),
    ]
    for (const other of others) t.false(isEcdsaSignature(hash, message, publicKey, other))
  })
}

test('verifies on P-521, whose signatures take the longer form of DER', t => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const message = Buffer.from('message')
  for (let n = 0; n < 100; n += 1) {
    const signature = sign('sha512', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    if (!isEcdsaSignature('sha512', message, publicKey, signature)) t.fail(`${n}`)
    signature[n]! ^= 1
    if (isEcdsaSignature('sha512', message, publicKey, signature)) t.fail(`${n}, changed`)
  }
  t.pass()
})

test('writes each half as the shortest INTEGER that is not negative', t => {
  const value = (r: string, s: string): string =>
    Buffer.from(encodeEcdsaValue(Buffer.from(r + s, 'hex'))).toString('hex')
  t.is(value('0001', '007f'), '300602010102017f')
  t.is(value('0080', 'ffff'), '300902020080020300ffff')
  t.is(value('0000', '0000'), '3006020100020100')
})
