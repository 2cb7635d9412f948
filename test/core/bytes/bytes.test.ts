import test from 'ava'
import * as fc from 'fast-check'
import { decodeBase64url, encodeBase64url } from '../../../src/core/bytes/base64url.ts'
import { lengthPrefixed, sized, u16, u32, u8 } from '../../../src/core/bytes/encode.ts'
import { isEqual } from '../../../src/core/bytes/equal.ts'
import { FormatError, hex } from '../../../src/core/bytes/format-error.ts'
import { parseAll, Reader } from '../../../src/core/bytes/reader.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })

test('base64url of any bytes reads back to the same bytes', t => {
  fc.assert(
    fc.property(anyBytes, bytes => {
      t.deepEqual(Uint8Array.from(decodeBase64url(encodeBase64url(bytes))), bytes)
    }),
  )
})

test('base64url encodes a view of a larger buffer as what it shows', t => {
  t.is(encodeBase64url(Uint8Array.of(9, 1, 2, 9).subarray(1, 3)), 'AQI')
  t.is(encodeBase64url(Buffer.from([9, 1, 2, 9]).subarray(1, 3)), 'AQI')
})

const notCanonical = ['AQI=', 'AR', 'A', 'AQ I', ' AQI', 'AQI\n', 'AQ+/', 'AQI.', 'Ä', 'AQI\0']

for (const text of notCanonical) {
  test(`refuses ${JSON.stringify(text)} as base64url`, t => {
    t.throws(() => decodeBase64url(text), { code: 'base64url-malformed' })
  })
}

test('of any text, base64url is either the one form of its bytes or refused', t => {
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        t.is(encodeBase64url(decodeBase64url(text)), text)
      } catch (error) {
        t.like(error, { code: 'base64url-malformed' })
      }
    }),
  )
})

test('big-endian members have their width, and a number that does not fit is the caller’s bug', t => {
  t.deepEqual(Uint8Array.from(u8(0xff)), Uint8Array.of(0xff))
  t.deepEqual(Uint8Array.from(u16(0x0102)), Uint8Array.of(1, 2))
  t.deepEqual(Uint8Array.from(u32(0xfffefdfc)), Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc))
  for (const bug of [() => u8(256), () => u16(0x1_0000), () => u32(2 ** 32), () => u8(-1)])
    t.throws(bug, { instanceOf: TypeError })
  t.throws(() => u16(1.5), { instanceOf: TypeError })
})

test('a sized buffer says its length, and one too long for that is the caller’s bug', t => {
  t.deepEqual(Uint8Array.from(sized(Uint8Array.of(7, 8))), Uint8Array.of(0, 2, 7, 8))
  t.throws(() => sized(new Uint8Array(0x1_0000)), { instanceOf: TypeError })
})

test('no two lists of fields have the same length-prefixed bytes', t => {
  const fields = fc.array(fc.oneof(anyBytes, fc.string()), { maxLength: 5 })
  const plain = (list: readonly (Uint8Array | string)[]): string[] =>
    list.map(field => Buffer.from(field as string).toString('hex'))
  fc.assert(
    fc.property(fields, fields, (left, right) => {
      const same = Buffer.compare(lengthPrefixed(left), lengthPrefixed(right)) === 0
      t.is(same, plain(left).join() === plain(right).join() && left.length === right.length)
    }),
  )
  t.notDeepEqual(lengthPrefixed(['ab', 'c']), lengthPrefixed(['a', 'bc']))
})

test('equality holds for equal bytes alone', t => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (left, right) => {
      t.true(isEqual(left, Uint8Array.from(left)))
      t.is(isEqual(left, right), Buffer.compare(left, right) === 0)
    }),
  )
})

test('the reader takes members in their order and says where it is', t => {
  const reader = new Reader(Buffer.from('000102030405060708090a0b0c0d0e0002aabb', 'hex'))
  t.deepEqual([reader.u8(), reader.u16(), reader.u32()], [0, 0x0102, 0x03040506])
  t.is(reader.u64(), 0x0708090a0b0c0d0en)
  t.is(reader.offset, 15)
  t.deepEqual(Uint8Array.from(reader.sized()), Uint8Array.of(0xaa, 0xbb))
  t.is(reader.remaining, 0)
  t.notThrows(() => reader.finish())
})

test('the reader works on a view that begins inside its buffer', t => {
  t.is(new Reader(Uint8Array.of(9, 9, 1, 2).subarray(2)).u16(), 0x0102)
})

test('the reader refuses what is short, too long, or left over', t => {
  const reader = new Reader(Uint8Array.of(0, 3, 1, 2))
  t.throws(() => reader.sized(), { code: 'structure-short' })
  t.throws(() => new Reader(Uint8Array.of(0, 3, 1, 2, 3)).sized(2), { code: 'structure-value' })
  t.throws(() => new Reader(Uint8Array.of(1)).finish(), { code: 'structure-trailing' })
  t.throws(() => parseAll(Uint8Array.of(1, 2), r => r.u8()), { code: 'structure-trailing' })
  t.is(
    parseAll(Uint8Array.of(1), r => r.u8()),
    1,
  )
})

test('every read past the end of any bytes is refused, and moves nothing', t => {
  const reads: readonly ((reader: Reader) => unknown)[] = [
    r => r.u8(),
    r => r.u16(),
    r => r.u32(),
    r => r.u64(),
    r => r.bytes(5),
    r => r.sized(),
  ]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), fc.constantFrom(...reads), (bytes, read) => {
      const reader = new Reader(bytes)
      try {
        read(reader)
        t.true(reader.offset <= bytes.length)
      } catch (error) {
        t.true(error instanceof FormatError)
      }
    }),
  )
})

test('numbers are shown as specifications write them', t => {
  t.is(hex(0x8017), '0x8017')
})
