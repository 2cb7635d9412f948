import test from 'ava'
import { DerReader } from '../../../src/core/der/reader.ts'
import { TAG } from '../../../src/core/der/tag.ts'
import { textOf } from '../../../src/core/der/text.ts'
import { readTime } from '../../../src/core/der/time.ts'
import {
  readBoolean,
  readDefaultFalse,
  readInteger,
  readNamedBits,
  readObjectIdentifier,
  readOctetBits,
  readSetOf,
  readSmallInteger,
  readUnsigned,
  type DeviationSet,
} from '../../../src/core/der/value.ts'
import * as der from '../../../src/core/der/writer.ts'

const reader = (text: string): DerReader =>
  new DerReader(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const code = 'der-value'

test('a BOOLEAN is 00 or FF and nothing between', t => {
  t.true(readBoolean(reader('01 01 ff')))
  t.false(readBoolean(reader('01 01 00')))
  for (const bytes of ['01 01 01', '01 00', '01 02 ff ff']) {
    t.throws(() => readBoolean(reader(bytes)), { code })
  }
})

test('an encoded DEFAULT FALSE is read, and noted', t => {
  const deviations: DeviationSet = new Set()
  t.true(readDefaultFalse(reader('01 01 ff'), deviations))
  t.false(readDefaultFalse(reader('02 01 00'), deviations))
  t.deepEqual([...deviations], [])
  t.false(readDefaultFalse(reader('01 01 00'), deviations))
  t.deepEqual([...deviations], ['encoded-default'])
})

test('an INTEGER has its shortest form', t => {
  for (const bytes of ['02 01 00', '02 01 7f', '02 02 00 80', '02 01 80', '02 02 ff 7f']) {
    t.notThrows(() => readInteger(reader(bytes)))
  }
  for (const bytes of ['02 00', '02 02 00 7f', '02 02 ff 80']) {
    t.throws(() => readInteger(reader(bytes)), { code })
  }
})

test('a small INTEGER is not negative and not above its limit', t => {
  t.is(readSmallInteger(reader('02 02 01 00'), 256), 256)
  for (const bytes of ['02 02 01 01', '02 01 ff', '02 05 01 00 00 00 00']) {
    t.throws(() => readSmallInteger(reader(bytes), 256), { code })
  }
})

test('an unsigned INTEGER loses its sign octet, and a negative one is refused', t => {
  t.deepEqual([...readUnsigned(reader('02 02 00 80'))], [0x80])
  t.deepEqual([...readUnsigned(reader('02 01 00'))], [0])
  t.throws(() => readUnsigned(reader('02 01 80')), { code })
})

test('an OBJECT IDENTIFIER comes back as it was written', t => {
  for (const oid of [
    '2.23.133.8.1',
    '1.2.840.113549.1.1.11',
    '0.9.2342',
    '2.999',
    '1.3.6.1.4.1.11129.2.1.21',
  ]) {
    t.is(readObjectIdentifier(new DerReader(der.objectIdentifier(oid))), oid)
  }
})

test('refuses an OBJECT IDENTIFIER that is empty, padded, cut off or beyond bounds', t => {
  const long = `06 41 ${'01'.repeat(65)}`
  for (const bytes of [
    '06 00',
    '06 02 80 01',
    '06 02 2a 86',
    long,
    `06 0a 2a ${'ff'.repeat(8)} 7f`,
  ]) {
    t.throws(() => readObjectIdentifier(reader(bytes)), { code })
  }
})

test('a BIT STRING of octets has no unused bits', t => {
  t.deepEqual([...readOctetBits(reader('03 02 00 05'))], [5])
  for (const bytes of ['03 00', '03 02 01 04'])
    t.throws(() => readOctetBits(reader(bytes)), { code })
})

test('named bits are numbered from the left, over two octets', t => {
  const deviations: DeviationSet = new Set()
  t.is(readNamedBits(reader('03 02 07 80'), deviations), 1)
  t.is(readNamedBits(reader('03 02 05 20'), deviations), 4)
  t.is(readNamedBits(reader('03 02 01 06'), deviations), 0x60)
  t.is(readNamedBits(reader('03 03 07 80 80'), deviations), 0x101)
  t.is(readNamedBits(reader('03 01 00'), deviations), 0)
  t.is(deviations.size, 0)
})

test('trailing zeros of named bits are read, and noted', t => {
  for (const bytes of ['03 02 00 20', '03 02 04 20', '03 03 00 20 00', '03 02 00 00']) {
    const deviations: DeviationSet = new Set()
    readNamedBits(reader(bytes), deviations)
    t.deepEqual([...deviations], ['padded-bits'], bytes)
  }
})

test('refuses named bits that are set where unused, or too many', t => {
  for (const bytes of ['03 00', '03 01 01', '03 02 08 00', '03 02 06 20', '03 04 00 01 01 01']) {
    t.throws(() => readNamedBits(reader(bytes), new Set()), { code }, bytes)
  }
})

test('the members of a SET OF are read in any order, and another than DER is noted', t => {
  const read = (text: string): [number[], string[]] => {
    const deviations: DeviationSet = new Set()
    const values = readSetOf(reader(text), 4, deviations, each => readSmallInteger(each, 9))
    return [values, [...deviations]]
  }
  t.deepEqual(read('31 06 02 01 01 02 01 02'), [[1, 2], []])
  t.deepEqual(read('31 06 02 01 02 02 01 01'), [[2, 1], ['unsorted-set']])
  t.throws(() => read(`31 0f ${'02 01 01'.repeat(5)}`), { code })
})

const ascii = (tag: number, text: string): DerReader =>
  new DerReader(der.tlv(tag, Buffer.from(text)))

test('reads both forms of time', t => {
  t.is(readTime(ascii(TAG.utcTime, '491231235959Z')), Date.UTC(2049, 11, 31, 23, 59, 59))
  t.is(readTime(ascii(TAG.utcTime, '500101000000Z')), Date.UTC(1950, 0, 1))
  t.is(readTime(ascii(TAG.generalizedTime, '99991231235959Z')), Date.UTC(9999, 11, 31, 23, 59, 59))
  t.is(readTime(ascii(TAG.generalizedTime, '00500228000000Z')), Date.parse('0050-02-28T00:00:00Z'))
})

test('refuses a time without seconds, with a zone or a fraction, or that is not in the calendar', t => {
  for (const text of [
    '2606010000Z',
    '260601000000+0100',
    '260601000000',
    '260631000000Z',
    '260601240000Z',
    '260601000060Z',
    '260229000000Z',
  ]) {
    t.throws(() => readTime(ascii(TAG.utcTime, text)), { code }, text)
  }
  for (const text of ['20260601000000.5Z', '2026060100Z', '260601000000Z']) {
    t.throws(() => readTime(ascii(TAG.generalizedTime, text)), { code }, text)
  }
})

test('text is of the alphabet and encoding that its type has', t => {
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
  t.is(textOf(TAG.printableString, bytes("Test (1), a'b?")), "Test (1), a'b?")
  t.is(textOf(TAG.utf8String, Buffer.from('Zürich')), 'Zürich')
  t.is(textOf(TAG.bmpString, Buffer.from('00fc', 'hex')), 'ü')
  t.is(textOf(TAG.teletexString, bytes('\xfc')), 'ü')
  t.is(textOf(TAG.integer, bytes('1')), undefined)
  t.throws(() => textOf(TAG.printableString, bytes('a@b')), { code })
  t.throws(() => textOf(TAG.ia5String, bytes('\xfc')), { code })
  t.throws(() => textOf(TAG.utf8String, bytes('\xfc')), { code })
  t.throws(() => textOf(TAG.bmpString, bytes('abc')), { code })
})
