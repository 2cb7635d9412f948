import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { curves, TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import type { Scheme, TpmtPublic } from '../../../src/core/tpm/public.ts'
import {
  fixedWidthSignature,
  isSignedBy,
  keyObjectOf,
  padLeft,
  parseTpmtSignature,
  type TpmtSignature,
} from '../../../src/core/tpm/signature.ts'
import { createEmulatedKey, signAsTpm, type EmulatedKey } from '../../../swtpm/emulated/key.ts'
import { eccArea, formatErrorOf, rsaArea } from './structures.ts'

const message = Buffer.from('what a TPM signs')
const hashes = [TPM_ALG.SHA256, TPM_ALG.SHA384, TPM_ALG.SHA512]
const p256: TpmtPublic = { ...eccArea, symmetric: undefined, curveId: 3 }

function keyWith(area: TpmtPublic, scheme: Scheme | undefined): EmulatedKey {
  return createEmulatedKey({ ...area, scheme }, 'endorsement')
}

function verifies(key: EmulatedKey, signature: Uint8Array | TpmtSignature): boolean {
  const parsed = signature instanceof Uint8Array ? parseTpmtSignature(signature) : signature
  return isSignedBy(key.area, key.publicKey, message, parsed)
}

const ecdsa = keyWith(p256, { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 })
const rsassa = keyWith(rsaArea, { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 })
const rsapss = keyWith(rsaArea, { scheme: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA256 })

for (const { id, name } of curves) {
  test(`verifies ECDSA on ${name} with each strong hash, and nothing changed`, t => {
    for (const hash of hashes) {
      const key = keyWith({ ...p256, curveId: id }, { scheme: TPM_ALG.ECDSA, hash })
      const signature = signAsTpm(key, message)
      t.true(verifies(key, signature))
      signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
      t.false(verifies(key, signature))
    }
  })
}

test('verifies RSASSA and RSAPSS with each strong hash, and nothing changed', t => {
  for (const key of [rsassa, rsapss]) {
    for (const hash of hashes) {
      const scheme = { scheme: key.area.scheme?.scheme ?? 0, hash }
      const same = { ...key, area: { ...key.area, scheme } }
      const signature = signAsTpm(same, message)
      t.true(verifies(same, signature))
      signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1
      t.false(verifies(same, signature))
    }
  }
})

test('a signature of another kind than the scheme of the key is refused, for each pair of them', t => {
  const keys = [ecdsa, rsassa, rsapss]
  for (const key of keys)
    for (const other of keys) t.is(verifies(key, signAsTpm(other, message)), key === other)
})

test('a key without scheme, or with one that does not go with it, verifies nothing', t => {
  const schemes = [
    undefined,
    { scheme: TPM_ALG.RSAES },
    { scheme: TPM_ALG.ECDAA, hash: TPM_ALG.SHA256, count: 0 },
    { scheme: TPM_ALG.OAEP, hash: TPM_ALG.SHA256 },
  ]
  for (const key of [ecdsa, rsassa, rsapss])
    for (const scheme of schemes)
      t.false(verifies({ ...key, area: { ...key.area, scheme } }, signAsTpm(key, message)))
})

test('a key whose area says ECC where it is RSA, or RSA where it is ECC, verifies nothing', t => {
  const ecc = { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 }
  const rsa = { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 }
  t.false(verifies({ ...rsassa, area: { ...rsassa.area, scheme: ecc } }, signAsTpm(ecdsa, message)))
  t.false(verifies({ ...ecdsa, area: { ...ecdsa.area, scheme: rsa } }, signAsTpm(rsassa, message)))
  const unknown = { ...ecdsa.area, curveId: 0x20 } as TpmtPublic
  t.false(verifies({ ...ecdsa, area: unknown }, signAsTpm(ecdsa, message)))
})

test('a hash that differs from the scheme of the key, is weak or unknown, is refused', t => {
  for (const key of [ecdsa, rsassa]) {
    const signature = parseTpmtSignature(signAsTpm(key, message))
    t.false(verifies(key, { ...signature, hash: TPM_ALG.SHA384 }))
    for (const hash of [TPM_ALG.SHA1, 0x0012, 0x010b]) {
      const scheme = { scheme: key.area.scheme?.scheme ?? 0, hash }
      t.false(verifies({ ...key, area: { ...key.area, scheme } }, { ...signature, hash }))
    }
  }
})

test('a good signature with SHA-1 is refused as well', t => {
  for (const key of [ecdsa, rsassa]) {
    const scheme = { scheme: key.area.scheme?.scheme ?? 0, hash: TPM_ALG.SHA1 }
    const weak = { ...key, area: { ...key.area, scheme } }
    t.false(verifies(weak, signAsTpm(weak, message)))
  }
})

test('r and s are numbers from 1 to below the order, whatever zeros lead them', t => {
  const signature = parseTpmtSignature(signAsTpm(ecdsa, message))
  if (signature.algorithm !== TPM_ALG.ECDSA) throw new TypeError('ECDSA by ECDSA')
  const order = curves[0]?.order as Uint8Array
  const padded = Buffer.concat([Uint8Array.of(0, 0), signature.r])
  t.true(verifies(ecdsa, { ...signature, r: padded }))
  const wrong = [new Uint8Array(), new Uint8Array(32), order, new Uint8Array(32).fill(0xff)]
  for (const number of [...wrong, Buffer.concat([Uint8Array.of(1), signature.r])]) {
    t.false(verifies(ecdsa, { ...signature, r: number }))
    t.false(verifies(ecdsa, { ...signature, s: number }))
  }
})

test('an RSA signature is as long as the modulus', t => {
  for (const key of [rsassa, rsapss]) {
    const signature = parseTpmtSignature(signAsTpm(key, message))
    if (signature.algorithm === TPM_ALG.ECDSA) throw new TypeError('RSA by RSA')
    t.true(verifies(key, signature))
    const { value } = signature
    const zero = Uint8Array.of(0)
    for (const wrong of [Buffer.concat([zero, value]), value.subarray(1), zero, new Uint8Array()])
      t.false(verifies(key, { ...signature, value: wrong }))
  }
})

test('signatures of other algorithms are malformed', t => {
  const bytes = Buffer.from(signAsTpm(ecdsa, message))
  for (const algorithm of [TPM_ALG.NULL, TPM_ALG.ECDAA, TPM_ALG.SM2, 0x0005, 0x0118]) {
    bytes.writeUInt16BE(algorithm)
    t.is(
      formatErrorOf(() => parseTpmtSignature(bytes)),
      'structure-value',
    )
  }
})

test('a signature at fixed width is r and s at the length of the curve', t => {
  const [curve] = curves
  if (curve === undefined) throw new TypeError('P-256')
  const fixed = fixedWidthSignature({ r: Uint8Array.of(1), s: Uint8Array.of(2, 3) }, curve)
  const expected = Buffer.alloc(64)
  expected[31] = 1
  expected.set([2, 3], 62)
  t.deepEqual(Buffer.from(fixed ?? []), expected)
  t.is(fixedWidthSignature({ r: Uint8Array.of(1), s: Uint8Array.of(0) }, curve), undefined)
})

test('zeros are added and taken on the left, never digits', t => {
  t.deepEqual(padLeft(Uint8Array.of(1, 2), 2), Uint8Array.of(1, 2))
  t.deepEqual(padLeft(Uint8Array.of(1, 2), 3), Uint8Array.of(0, 1, 2))
  t.deepEqual(padLeft(Uint8Array.of(0, 1, 2), 2), Uint8Array.of(1, 2))
  t.is(padLeft(Uint8Array.of(1, 0, 2), 2), undefined)
})

test('no key is made of a point off its curve, an unknown curve, long coordinates or no modulus', t => {
  const { area } = ecdsa
  t.not(keyObjectOf(area), undefined)
  for (const wrong of [
    { ...area, x: new Uint8Array(32).fill(1) },
    { ...area, x: new Uint8Array() },
    { ...area, x: new Uint8Array(33).fill(1) },
    { ...area, y: new Uint8Array(33).fill(1) },
    { ...area, curveId: 0x20 },
    { ...rsaArea, modulus: new Uint8Array() },
    { ...rsaArea, modulus: new Uint8Array(256) },
  ])
    t.is(keyObjectOf(wrong as TpmtPublic), undefined)
})

test('a coordinate that a TPM wrote without its leading zero is the same point', t => {
  for (;;) {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    if (left[0] !== 0) continue
    const key = keyObjectOf({ ...eccArea, curveId: 3, x: left.subarray(1), y: right })
    t.true(key?.equals(publicKey))
    return
  }
})

test('an exponent of zero is 65537, and any other is itself', t => {
  const usual = keyObjectOf(rsassa.area)
  t.true(usual?.equals(rsassa.publicKey))
  const small = keyObjectOf({ ...rsassa.area, exponent: 3 } as TpmtPublic)
  t.is(small?.asymmetricKeyDetails?.publicExponent, 3n)
})
