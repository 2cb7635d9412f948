import { deflateSync } from 'node:zlib'
import test from 'ava'
import { assert, nat, property, uniqueArray } from 'fast-check'
import { encodeBase64url } from '../../../src/core/bytes/base64url.ts'
import { StatusError } from '../../../src/core/status/error.ts'
import { encodeStatusList, parseStatusList } from '../../../src/core/status/status-list.ts'

const listOf = (bits: number, ...bytes: number[]): unknown => ({
  bits,
  lst: encodeBase64url(deflateSync(Uint8Array.from(bytes))),
})

test('reads the lists of the draft: one bit and two bits a status', t => {
  // draft-ietf-oauth-status-list-21 §4.1: the bytes 0xB9 0xA3, and 0xC9 0x44 0xF9.
  const one = parseStatusList(listOf(1, 0xb9, 0xa3))
  t.deepEqual(
    Array.from({ length: one.length }, (_, index) => one.at(index)),
    [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
  )
  const two = parseStatusList(listOf(2, 0xc9, 0x44, 0xf9))
  t.deepEqual(
    Array.from({ length: two.length }, (_, index) => two.at(index)),
    [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3],
  )
  t.is(parseStatusList(listOf(8, 7)).at(0), 7)
})

test('a list that is written is read with the same places', t => {
  assert(
    property(uniqueArray(nat(1023)), invalid => {
      const list = parseStatusList(encodeStatusList(1024, invalid))
      return (
        list.length === 1024 &&
        Array.from({ length: 1024 }, (_, index) => list.at(index)).every(
          (status, index) => status === Number(invalid.includes(index)),
        )
      )
    }),
  )
  t.pass()
})

test('a place outside the list is refused, and never valid', t => {
  const list = parseStatusList(encodeStatusList(8, []))
  t.is(list.at(7), 0)
  for (const index of [8, -1, 1.5, Number.NaN, 2 ** 53])
    t.is(t.throws(() => list.at(index), { instanceOf: StatusError }).code, 'status-index')
})

test('what is no list is refused: sizes, streams, and one that would fill the memory', t => {
  const bomb = deflateSync(new Uint8Array(5 * 1024 * 1024))
  const good = encodeStatusList(8, [])
  t.is(parseStatusList(good).length, 8)
  for (const value of [
    null,
    undefined,
    {},
    { ...good, bits: 3 },
    { ...good, bits: '1' },
    { bits: 1 },
    { bits: 1, lst: '!' },
    { bits: 1, lst: 'AAAA' },
    { bits: 1, lst: encodeBase64url(bomb) },
  ])
    t.is(
      t.throws(() => parseStatusList(value), { instanceOf: StatusError }).code,
      'status-list-malformed',
    )
})

test('whoever writes a list keeps to its places', t => {
  for (const length of [0, -8, 12, 2 ** 40])
    t.throws(() => encodeStatusList(length, []), { instanceOf: TypeError })
  for (const index of [8, -1, 0.5])
    t.throws(() => encodeStatusList(8, [index]), { instanceOf: TypeError })
})
