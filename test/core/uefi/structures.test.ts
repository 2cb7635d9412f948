import test from 'ava'
import * as fc from 'fast-check'
import { FormatError } from '../../../src/core/bytes/format-error.ts'
import { imageFileHint, parseDevicePathFile } from '../../../src/core/uefi/device-path.ts'
import { readGuid } from '../../../src/core/uefi/guid.ts'
import { LittleEndianReader } from '../../../src/core/uefi/little-endian-reader.ts'
import { parsePartitionTable } from '../../../src/core/uefi/partition-table.ts'
import { parseSignatureLists } from '../../../src/core/uefi/signature-list.ts'
import { decodeUtf16, decodeUtf8, trimZeros } from '../../../src/core/uefi/text.ts'
import { unlessMalformed } from '../../../src/core/uefi/unless-malformed.ts'
import { parseUefiVariable } from '../../../src/core/uefi/variable.ts'
import { u16le, u32le, u64le } from '../../../swtpm/emulated/event-log.ts'
import {
  certificates,
  guidBytes,
  image,
  owner,
  signatureData,
  signatureList,
  signatureTypes,
  variableData,
  wide,
} from '../../../swtpm/emulated/boot-events.ts'

const value = { code: 'structure-value' }
const short = { code: 'structure-short' }
const trailing = { code: 'structure-trailing' }

const [certificate = Buffer.alloc(0)] = certificates
const lists = Buffer.concat([
  signatureList(signatureTypes.x509, [signatureData(owner, certificate)]),
  signatureList(
    signatureTypes.sha256,
    [1, 2].map(n => signatureData(owner, Buffer.alloc(32, n))),
  ),
])

function node(type: number, subtype: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(type, subtype), u16le(data.length + 4), data])
}

const end = node(0x7f, 0xff, new Uint8Array(0))

test('a GUID is read in its mixed byte order', t => {
  const bytes = Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex')
  const guid = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
  t.is(readGuid(new LittleEndianReader(bytes)), guid)
  t.deepEqual(Buffer.from(guidBytes(guid)), bytes)
})

test('a variable is read to its last byte', t => {
  const bytes = variableData(owner, 'Boot0001', Buffer.from('content'))
  const { vendor, name, data } = parseUefiVariable(bytes)
  t.deepEqual([vendor, name, Buffer.from(data).toString()], [owner, 'Boot0001', 'content'])
  t.throws(() => parseUefiVariable(Buffer.concat([bytes, Uint8Array.of(0)])), trailing)
  for (let length = 0; length < bytes.length; length += 1)
    t.throws(() => parseUefiVariable(bytes.subarray(0, length)), short)
})

test('lengths of a variable that no memory could hold are refused', t => {
  const head = guidBytes(owner)
  const ones = Buffer.alloc(8, 0xff)
  t.throws(() => parseUefiVariable(Buffer.concat([head, ones, u64le(0)])), value)
  t.throws(() => parseUefiVariable(Buffer.concat([head, u64le(0), ones])), value)
  const lone = Buffer.concat([head, u64le(1), u64le(0), Uint8Array.of(0, 0xd8)])
  t.throws(() => parseUefiVariable(lone), value)
})

test('signature lists are entries with the type of their list', t => {
  const entries = parseSignatureLists(lists)
  t.deepEqual(
    entries.map(({ kind, owner: by, data }) => [kind, by, data.length]),
    [
      ['x509', owner, certificate.length],
      ['sha256', owner, 32],
      ['sha256', owner, 32],
    ],
  )
  t.deepEqual(parseSignatureLists(new Uint8Array(0)), [])
  const unknown = signatureList(owner, [signatureData(owner, Buffer.alloc(7))])
  t.is(parseSignatureLists(unknown)[0]?.kind, 'other')
})

test('signature lists cut anywhere but between two are refused', t => {
  const first = signatureList(signatureTypes.x509, [signatureData(owner, certificate)]).length
  for (let length = 1; length < lists.length; length += 1)
    if (length !== first) t.throws(() => parseSignatureLists(lists.subarray(0, length)), short)
})

test('a signature list whose sizes do not go together is refused', t => {
  const list = (
    size: number,
    header: number,
    entry: number,
    type: string = signatureTypes.x509,
  ): Uint8Array =>
    Buffer.concat([guidBytes(type), u32le(size), u32le(header), u32le(entry), Buffer.alloc(200)])
  t.throws(() => parseSignatureLists(list(27, 0, 20)), value)
  t.throws(() => parseSignatureLists(list(0, 0, 20)), value)
  t.throws(() => parseSignatureLists(list(28 + 40, 8, 20)), value)
  t.throws(() => parseSignatureLists(list(28 + 40, 0, 16)), value)
  t.throws(() => parseSignatureLists(list(28 + 40, 0, 0)), value)
  t.throws(() => parseSignatureLists(list(28 + 41, 0, 20)), value)
  t.throws(() => parseSignatureLists(list(28 + 40, 0, 40, signatureTypes.sha256)), value)
  t.throws(() => parseSignatureLists(list(0xffff_ffff, 0, 0x7fff_fff2)), { name: 'FormatError' })
  t.throws(() => parseSignatureLists(list(68, 0xffff_ffff, 20)), short)
})

test('a database has a bounded number of entries', t => {
  const entries = Array.from({ length: 16_385 }, () => Buffer.alloc(17))
  t.throws(() => parseSignatureLists(signatureList(owner, entries)), value)
  t.is(parseSignatureLists(signatureList(owner, entries.slice(1))).length, 16_384)
})

test('a device path gives the file that it ends in', t => {
  const folder = node(4, 4, wide('\\EFI\\\0'))
  const file = node(4, 4, wide('\\boot.efi\0'))
  const disk = node(1, 1, Buffer.alloc(2))
  t.is(parseDevicePathFile(Buffer.concat([disk, folder, file, end])), '\\EFI\\boot.efi')
  t.is(parseDevicePathFile(Buffer.concat([disk, end])), undefined)
  t.is(parseDevicePathFile(node(4, 4, Uint8Array.of(0))), '')
  t.throws(() => parseDevicePathFile(Buffer.concat([end, Uint8Array.of(0)])), trailing)
  t.throws(() => parseDevicePathFile(Uint8Array.of(1, 1, 3, 0)), value)
  t.throws(() => parseDevicePathFile(Uint8Array.of(1, 1, 5, 0)), short)
  t.throws(() => parseDevicePathFile(Buffer.concat(Array.from({ length: 65 }, () => disk))), value)
})

test('an image event that cannot be read has no hint', t => {
  const { data } = image('\\EFI\\boot.efi', 'content')
  t.is(imageFileHint(data), '\\EFI\\boot.efi')
  for (let length = 0; length < data.length; length += 1)
    t.is(imageFileHint(data.subarray(0, length)), undefined)
})

test('a partition table is read to its last byte, and has a bounded number of partitions', t => {
  const table = (count: number, entries: number): Uint8Array =>
    Buffer.concat([
      Buffer.alloc(92),
      u64le(count),
      ...Array.from({ length: entries }, () =>
        Buffer.concat([guidBytes(owner), Buffer.alloc(112)]),
      ),
    ])
  t.deepEqual(parsePartitionTable(table(2, 2)).types, [owner, owner])
  t.throws(() => parsePartitionTable(table(1, 2)), trailing)
  t.throws(() => parsePartitionTable(table(3, 2)), short)
  t.throws(() => parsePartitionTable(table(129, 129)), value)
})

test('text is decoded without its closing zeros, or not at all', t => {
  t.is(decodeUtf16(wide('text\0\0')), 'text')
  t.is(decodeUtf16(Uint8Array.of(1)), undefined)
  t.is(decodeUtf16(Uint8Array.of(0, 0xd8)), undefined)
  t.is(decodeUtf8(Buffer.from('text\0')), 'text')
  t.is(decodeUtf8(Uint8Array.of(0xff)), undefined)
  t.is(trimZeros(Buffer.from('a\0b\0\0')).length, 3)
  t.is(trimZeros(new Uint8Array(3)).length, 0)
})

test('only what is malformed becomes undefined', t => {
  t.is(
    unlessMalformed(() => parseUefiVariable(new Uint8Array(0))),
    undefined,
  )
  t.is(
    unlessMalformed(() => 1),
    1,
  )
  const bug = new TypeError('a bug')
  t.throws(
    () =>
      unlessMalformed(() => {
        throw bug
      }),
    { is: bug },
  )
})

test('any bytes give each structure or a FormatError', t => {
  const parsers = [parseUefiVariable, parseSignatureLists, parseDevicePathFile, parsePartitionTable]
  for (const parse of parsers)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        try {
          parse(bytes)
          return true
        } catch (error) {
          return error instanceof FormatError
        }
      }),
    )
  t.pass()
})
