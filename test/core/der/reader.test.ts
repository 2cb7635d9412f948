import test from 'ava'
import { DerReader, parseDer } from '../../../src/core/der/reader.ts'
import { TAG } from '../../../src/core/der/tag.ts'
import * as der from '../../../src/core/der/writer.ts'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('reads lengths in their shortest form, of one to four octets', t => {
  for (const length of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff]) {
    const value = der.octetString(new Uint8Array(length))
    t.is(new DerReader(value).contents(TAG.octetString).length, length)
  }
  const long = Buffer.concat([hex('04 83 01 00 00'), new Uint8Array(0x1_0000)])
  t.is(new DerReader(long).contents(TAG.octetString).length, 0x1_0000)
})

const refusals = [
  ['an indefinite length', '30 80 02 01 00 00 00', 'der-length'],
  ['a long form for a short length', '04 81 01 00', 'der-length'],
  ['a length with a leading zero', '04 82 00 80', 'der-length'],
  ['a length of four octets', '04 84 00 00 00 01 00', 'der-length'],
  ['the reserved length', '04 ff', 'der-length'],
  ['a length beyond the end', '04 05 00', 'der-short'],
  ['a length cut off', '04 82 01', 'der-short'],
  ['nothing', '', 'der-short'],
  ['a tag alone', '04', 'der-short'],
  ['an identifier of many octets', '1f 81 01 00', 'der-tag'],
] as const

for (const [what, bytes, code] of refusals) {
  test(`refuses ${what}`, t => {
    t.throws(() => new DerReader(hex(bytes)).element(), { code })
  })
}

test('refuses another kind of value, and names both', t => {
  const error = t.throws(() => new DerReader(hex('02 01 00')).contents(TAG.octetString), {
    code: 'der-tag',
  })
  t.like(error, { expected: 'tag 0x04', found: 'tag 0x02' })
})

test('refuses bytes after the value, inside it and behind it', t => {
  const read = (reader: DerReader): Uint8Array => reader.contents(TAG.integer)
  t.deepEqual(parseDer(hex('30 03 02 01 05'), TAG.sequence, read), hex('05'))
  t.throws(() => parseDer(hex('30 04 02 01 05 00'), TAG.sequence, read), { code: 'der-trailing' })
  t.throws(() => parseDer(hex('30 03 02 01 05 00'), TAG.sequence, read), { code: 'der-trailing' })
})

test('never reads beyond the value that it is inside of', t => {
  const reader = new DerReader(hex('30 02 04 03 01 02 03'))
  t.throws(() => reader.within(TAG.sequence, inside => inside.contents(TAG.octetString)), {
    code: 'der-short',
  })
})

test('refuses values nested deeper than any structure', t => {
  let nested: Uint8Array = hex('05 00')
  for (let level = 0; level < 40; level += 1) nested = der.sequence(nested)
  const descend = (reader: DerReader): void => {
    reader.optional(TAG.sequence, descend)
  }
  t.throws(() => descend(new DerReader(nested)), { code: 'der-depth' })
})

test('refuses more values than a list may have', t => {
  const list = der.sequence(...Array.from({ length: 4 }, () => der.smallInteger(1)))
  const read = (limit: number) => (): unknown =>
    parseDer(list, TAG.sequence, reader => reader.each(limit, each => each.element().tag))
  t.deepEqual(read(4)(), [2, 2, 2, 2])
  t.throws(read(3), { code: 'der-value' })
})
