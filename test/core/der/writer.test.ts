import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('a length is written in its shortest form, and 16 MiB are the caller’s bug', t => {
  t.is(hex(der.octetString(new Uint8Array(0x7f))).slice(0, 4), '047f')
  t.is(hex(der.octetString(new Uint8Array(0x80))).slice(0, 6), '048180')
  t.is(hex(der.octetString(new Uint8Array(0x100))).slice(0, 8), '04820100')
  t.is(hex(der.octetString(new Uint8Array(0x10203)).subarray(0, 5)), '0483010203')
  t.throws(() => der.octetString(new Uint8Array(0x1000000)), { instanceOf: TypeError })
})

test('an integer is positive, without leading zeros but for the sign', t => {
  for (const [bytes, expected] of [
    [[0], '020100'],
    [[], '020100'],
    [[0, 0, 1], '020101'],
    [[0x7f], '02017f'],
    [[0x80], '02020080'],
    [[0, 0xff], '020200ff'],
  ] as const)
    t.is(hex(der.unsignedInteger(Uint8Array.from(bytes))), expected)
  t.is(hex(der.smallInteger(2)), '020102')
})

test('named bits leave trailing zeros out', t => {
  t.is(hex(der.namedBits(0)), '030100')
  t.is(hex(der.namedBits(0x80)), '03020780')
  t.is(hex(der.namedBits(0x06)), '03020106')
  t.is(hex(der.namedBits(0x01)), '03020001')
})

test('an object identifier has arcs of seven bits', t => {
  t.is(hex(der.objectIdentifier('2.5.29.17')), '0603551d11')
  t.is(hex(der.objectIdentifier('1.2.840.10045.4.3.2')), '06082a8648ce3d040302')
  t.is(hex(der.objectIdentifier('2.999.3')), '0603883703')
})

test('a time is UTCTime to 2049 and GeneralizedTime from 2050', t => {
  t.is(
    Buffer.from(der.certificateTime(Date.UTC(2049, 11, 31, 23, 59, 59))).toString('latin1'),
    '\u0017\r491231235959Z',
  )
  t.is(
    Buffer.from(der.certificateTime(Date.UTC(2050, 0, 1))).toString('latin1'),
    '\u0018\u000f20500101000000Z',
  )
})

test('a generalized time is one in any year, and a fraction of a second is cut off', t => {
  const time = der.generalizedTime(Date.UTC(2026, 10, 1) + 999)
  t.is(Buffer.from(time).toString('latin1'), '\u0018\u000f20261101000000Z')
})

test('the other writers wrap what they are given', t => {
  t.is(hex(der.sequence(der.booleanTrue, der.utf8String('ü'))), '30070101ff0c02c3bc')
  t.is(hex(der.setOf(der.sequence())), '31023000')
  t.is(hex(der.bitString(Uint8Array.of(1))), '03020001')
  t.is(hex(der.implicitPrimitive(6, Uint8Array.of(1))), '860101')
  t.is(hex(der.enumerated(5)), '0a0105')
  t.is(hex(der.contextConstructed(3, der.sequence())), 'a3023000')
})
