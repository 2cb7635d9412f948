import { createHmac } from 'node:crypto'
import test from 'ava'
import * as fc from 'fast-check'
import { compactVerify } from 'jose'
import {
  algorithmOfCurve,
  jwsAlgorithmNames,
  jwsAlgorithms,
} from '../../../src/core/jose/algorithm.ts'
import { JoseError } from '../../../src/core/jose/error.ts'
import { encodeHeader, parseJws, signJws, verifyJws } from '../../../src/core/jose/jws.ts'
import { compactJws, createTestKey, segment } from '../../support/compact-jws.ts'

const key = createTestKey()
const [es256, es384] = jwsAlgorithms
if (es256 === undefined || es384 === undefined) throw new TypeError('two rows')

const good = compactJws({ alg: 'ES256' }, { a: 1 }, key)
const [header = '', payload = '', signature = ''] = good.split('.')

test('a JWS that was signed here verifies here and in another library', async t => {
  for (const [algorithm, curve] of [
    [es256, 'P-256'],
    [es384, 'P-384'],
  ] as const) {
    const { privateKey, publicKey } = createTestKey(curve)
    const text = signJws(
      encodeHeader({ alg: algorithm.name, typ: 'x' }),
      { ü: '→' },
      privateKey,
      algorithm,
    )
    const jws = parseJws(text)
    t.notThrows(() => verifyJws(jws, publicKey, algorithm))
    t.deepEqual(jws.payload, { ü: '→' })
    t.is((await compactVerify(text, publicKey)).protectedHeader.typ, 'x')
  }
})

test('the table holds ES256 and ES384 and nothing else', t => {
  t.deepEqual(jwsAlgorithmNames, ['ES256', 'ES384'])
  t.is(algorithmOfCurve('P-256')?.name, 'ES256')
  for (const curve of ['P-521', 'secp256k1', undefined, null, {}])
    t.is(algorithmOfCurve(curve), undefined)
})

const malformed: Readonly<Record<string, string>> = {
  'nothing at all': '',
  'two parts': `${header}.${payload}`,
  'four parts': `${good}.`,
  'an empty header': `.${payload}.${signature}`,
  'an empty payload': `${header}..${signature}`,
  'a padded header': `${header}=.${payload}.${signature}`,
  'white space': ` ${good}`,
  'a line break inside': `${header}.\n${payload}.${signature}`,
  'a header that is a list': `${segment([])}.${payload}.${signature}`,
  'a header that is null': `${segment(null)}.${payload}.${signature}`,
  'a header that is no JSON': `${segment('{')}.${payload}.${signature}`,
  'a payload that is a text': `${header}.${segment('"x"')}.${signature}`,
  'a payload that is no UTF-8': `${header}.${Buffer.of(0x7b, 0xff, 0x7d).toString('base64url')}.${signature}`,
  'a payload behind a byte order mark': `${header}.${segment('\uFEFF{}')}.${signature}`,
  'a header that must be understood': compactJws(
    { alg: 'ES256', crit: ['b64'], b64: false },
    {},
    key,
  ),
  'an empty crit': compactJws({ alg: 'ES256', crit: [] }, {}, key),
  'more than is read': `${header}.${segment({ a: 'x'.repeat(8192) })}.${signature}`,
  'a signature with unused bits set': `${header}.${payload}.${signature.slice(0, -1)}B`,
}

for (const [name, text] of Object.entries(malformed)) {
  test(`refuses a JWS of ${name}`, t => {
    t.throws(() => parseJws(text), { code: 'jws-malformed' })
  })
}

test('refuses every algorithm but the one that goes with the key', t => {
  const names = ['none', 'HS256', 'RS256', 'ES384', 'ES512', 'es256', 'EdDSA', undefined, 256, null]
  for (const alg of [...names, { toString: 1, valueOf: 1 }, ['ES256']]) {
    const jws = parseJws(compactJws({ alg }, {}, key))
    t.throws(() => verifyJws(jws, key.publicKey, es256), { code: 'jws-algorithm' }, typeof alg)
  }
})

test('refuses an HMAC under the public key, the oldest confusion of all', t => {
  const input = `${segment({ alg: 'HS256' })}.${payload}`
  const secret = key.publicKey.export({ format: 'pem', type: 'spki' })
  const mac = createHmac('sha256', secret).update(input).digest('base64url')
  t.throws(() => verifyJws(parseJws(`${input}.${mac}`), key.publicKey, es256), {
    code: 'jws-algorithm',
  })
})

test('refuses a signature that is absent, short, long, DER, of another key, or of other bytes', t => {
  const raw = Buffer.from(signature, 'base64url')
  const der = Buffer.concat([Buffer.of(0x30, 0x44), raw])
  const other = compactJws({ alg: 'ES256' }, { a: 1 }, createTestKey()).split('.')[2] ?? ''
  const bad = ['', raw.subarray(1).toString('base64url'), der.toString('base64url'), other]
  const double = Buffer.concat([raw, raw]).toString('base64url')
  for (const text of [...bad, double, Buffer.alloc(64).toString('base64url')]) {
    const jws = parseJws(`${header}.${payload}.${text}`)
    t.throws(() => verifyJws(jws, key.publicKey, es256), { code: 'jws-signature' })
  }
  const moved = parseJws(`${header}.${segment({ a: 2 })}.${signature}`)
  t.throws(() => verifyJws(moved, key.publicKey, es256), { code: 'jws-signature' })
  t.notThrows(() => verifyJws(parseJws(good), key.publicKey, es256))
})

test('no single changed bit of a signed JWS still verifies', t => {
  for (let index = 0; index < good.length; index += 1) {
    const bytes = Buffer.from(good)
    bytes[index] = (bytes[index] ?? 0) ^ 1
    t.throws(() => verifyJws(parseJws(bytes.toString('latin1')), key.publicKey, es256), {
      instanceOf: JoseError,
    })
  }
})

test('any text is a JWS or refused by its code', t => {
  const part = fc.oneof(fc.json().map(segment), fc.base64String(), fc.string())
  const near = fc.array(part, { minLength: 2, maxLength: 4 }).map(parts => parts.join('.'))
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), text => {
      try {
        verifyJws(parseJws(text), key.publicKey, es256)
        t.fail('nothing signed this')
      } catch (error) {
        t.true(error instanceof JoseError)
      }
    }),
  )
})
