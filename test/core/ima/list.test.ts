import test from 'ava'
import * as fc from 'fast-check'
import { ImaError } from '../../../src/core/ima/error.ts'
import { digestText } from '../../../src/core/ima/digest.ts'
import { ImaList, parseImaList } from '../../../src/core/ima/list.ts'
import { u32le } from '../../../swtpm/emulated/event-log.ts'
import {
  bufferEntry,
  digestField,
  encodeEntry,
  entryOf,
  fileEntry,
  makeImaList,
  oldEntry,
  violationEntry,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'

const name = Buffer.from('/bin/sh\0')
const digest = digestField('content')

function listOf(...entries: MadeEntry[]): ImaList {
  return parseImaList(makeImaList(entries))
}

test('entries of every template are read as they were made', t => {
  const list = listOf(
    oldEntry('/init'),
    entryOf('ima-ng', [digestField('x', 'sha512'), name]),
    entryOf('ima-sig', [digest, name, Buffer.from('signature')]),
    entryOf('ima-sig', [digest, name, new Uint8Array(0)]),
    entryOf('ima-ngv2', [digestField('x', 'sha256', 'ima:'), name]),
    entryOf('ima-sigv2', [digestField('x', 'sha256', 'verity:'), name, new Uint8Array(0)]),
    bufferEntry('kexec-cmdline', Buffer.from('quiet')),
    entryOf('ima-modsig', [digest, name, new Uint8Array(0), digest, Buffer.from('appended')]),
    entryOf('ima-modsig', [digest, name, new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)]),
  )
  const entries = [...list.entries()]
  t.is(list.count, 9)
  t.is(list.tailBytes, 0)
  t.deepEqual(
    entries.map(entry => [entry.template, entry.name, entry.digest.type, entry.digest.hash.name]),
    [
      ['ima', '/init', 'ima', 'sha1'],
      ['ima-ng', '/bin/sh', 'ima', 'sha512'],
      ['ima-sig', '/bin/sh', 'ima', 'sha256'],
      ['ima-sig', '/bin/sh', 'ima', 'sha256'],
      ['ima-ngv2', '/bin/sh', 'ima', 'sha256'],
      ['ima-sigv2', '/bin/sh', 'verity', 'sha256'],
      ['ima-buf', 'kexec-cmdline', 'ima', 'sha256'],
      ['ima-modsig', '/bin/sh', 'ima', 'sha256'],
      ['ima-modsig', '/bin/sh', 'ima', 'sha256'],
    ],
  )
  t.is(Buffer.from(entries[2]?.signature ?? []).toString(), 'signature')
  t.is(entries[3]?.signature, undefined)
  t.is(Buffer.from(entries[6]?.buffer ?? []).toString(), 'quiet')
})

test('a digest is written with what it is not by default', t => {
  const [plain, long, verity] = [
    ...listOf(
      entryOf('ima-ng', [digestField('x'), name]),
      entryOf('ima-ng', [digestField('x', 'sha384'), name]),
      entryOf('ima-ngv2', [digestField('x', 'sha256', 'verity:'), name]),
    ).entries(),
  ]
  t.regex(plain === undefined ? '' : digestText(plain.digest), /^[0-9a-f]{64}$/)
  t.regex(long === undefined ? '' : digestText(long.digest), /^sha384:[0-9a-f]{96}$/)
  t.regex(verity === undefined ? '' : digestText(verity.digest), /^verity:sha256:[0-9a-f]{64}$/)
})

test('only parseImaList makes a list', t => {
  t.throws(() => Reflect.construct(ImaList, [Symbol('seal'), new Uint8Array(0), {}]), {
    instanceOf: TypeError,
  })
})

test('a list that ends in the middle of an entry is refused, or read up to there where that was asked for', t => {
  const entries = [fileEntry('/a'), oldEntry('/b'), fileEntry('/c')]
  const bytes = makeImaList(entries)
  const ends = entries.map((_, i) => makeImaList(entries.slice(0, i + 1)).length)
  for (let length = 1; length < bytes.length; length += 1) {
    const cut = bytes.subarray(0, length)
    const whole = ends.filter(end => end <= length).length
    if (ends.includes(length)) t.is(parseImaList(cut).count, whole)
    else t.throws(() => parseImaList(cut), { code: 'ima-truncated' }, `${length}`)
    const left = parseImaList(cut, { incompleteTail: 'leave' })
    t.deepEqual([left.count, left.byteLength + left.tailBytes], [whole, length])
    t.is([...left.entries()].length, whole)
  }
})

test('lists are capped in bytes and in entries', t => {
  const bytes = makeImaList([fileEntry('/a'), fileEntry('/b')])
  const code = 'ima-size'
  t.throws(() => parseImaList(new Uint8Array(0)), { code })
  t.is(parseImaList(new Uint8Array(0), { allowEmpty: true }).count, 0)
  t.throws(() => parseImaList(bytes, { maxBytes: bytes.length - 1 }), { code })
  t.throws(() => parseImaList(bytes, { maxEntries: 1 }), { code })
  t.notThrows(() => parseImaList(bytes, { maxBytes: bytes.length, maxEntries: 2 }))
  const aggregates = Array.from({ length: 65 }, () => fileEntry('boot_aggregate'))
  t.throws(() => listOf(...aggregates), { code })
})

test('sizes of all ones end a list, they do not allocate', t => {
  const ones = u32le(0xffff_ffff)
  const head = Buffer.concat([u32le(10), Buffer.alloc(20, 1)])
  t.throws(() => parseImaList(Buffer.concat([head, ones])), { code: 'ima-template' })
  const named = Buffer.concat([head, u32le(6), Buffer.from('ima-ng')])
  t.throws(() => parseImaList(Buffer.concat([named, ones])), { code: 'ima-truncated' })
  const old = Buffer.concat([head, u32le(3), Buffer.from('ima'), Buffer.alloc(20), ones])
  t.throws(() => parseImaList(old), { code: 'ima-name' })
  t.throws(() => listOf({ template: 'ima-ng', data: ones }), { code: 'ima-field' })
})

test('an entry of a PCR that does not exist is malformed', t => {
  t.throws(() => listOf(fileEntry('/a', 'a', { pcr: 24 })), { code: 'ima-malformed' })
})

test('a template that is not known is refused', t => {
  for (const template of [
    '',
    'ima-n',
    'ima-ngx',
    'd-ng|n-ng',
    'evm-sig',
    'a-very-long-name-of-a-template',
  ])
    t.throws(() => listOf({ template, data: new Uint8Array(4) }), { code: 'ima-template' })
})

test('a field that is missing, too long or left over is refused', t => {
  const code = 'ima-field'
  t.throws(() => listOf(entryOf('ima-ng', [digest])), { code })
  t.throws(() => listOf(entryOf('ima-ng', [digest, name, name])), { code })
  t.throws(() => listOf(entryOf('ima-sig', [digest, name])), { code })
  const data = Buffer.concat([u32le(200), digest])
  t.throws(() => listOf({ template: 'ima-ng', data }), { code })
})

test('a name ends in its only zero byte', t => {
  const code = 'ima-name'
  for (const wrong of ['', '\0', '/bin/sh', '/bin\0/sh\0', '/bin/sh\0\0', `${'x'.repeat(9000)}\0`])
    t.throws(() => listOf(entryOf('ima-ng', [digest, Buffer.from(wrong)])), { code })
  t.notThrows(() => listOf(entryOf('ima-ng', [digest, Buffer.from('/a b\nc\0')])))
})

test('a name of the old template has 1 to 255 bytes without a zero', t => {
  const code = 'ima-name'
  t.notThrows(() => listOf(oldEntry('x'.repeat(255))))
  for (const wrong of ['', 'x'.repeat(256), 'x'.repeat(300), 'a\0b'])
    t.throws(() => listOf(oldEntry(wrong)), { code })
})

test('a name that is no UTF-8 cannot be taken for another', t => {
  const [entry] = [...listOf(entryOf('ima-ng', [digest, Uint8Array.of(0x2f, 0xff, 0)])).entries()]
  t.true(entry?.name.startsWith('\uFFFD'))
})

test('a digest is as long as its hash, which is known', t => {
  const code = 'ima-digest-algorithm'
  const wrong = [
    Buffer.concat([Buffer.from('sha256:\0'), Buffer.alloc(20)]),
    Buffer.concat([Buffer.from('sha256:\0'), Buffer.alloc(33)]),
    Buffer.concat([Buffer.from('md5:\0'), Buffer.alloc(16)]),
    Buffer.concat([Buffer.from('sha256:'), Buffer.alloc(32, 1)]),
    Buffer.from('sha2'),
    digestField('x', 'sha256', 'ima:'),
    new Uint8Array(0),
  ]
  for (const field of wrong) t.throws(() => listOf(entryOf('ima-ng', [field, name])), { code })
  t.throws(() => listOf(entryOf('ima-ngv2', [digest, name])), { code })
  const modsig = [digest, name, new Uint8Array(0), Buffer.from('x'), new Uint8Array(0)]
  t.throws(() => listOf(entryOf('ima-modsig', modsig)), { code })
})

test('a violation carries no digest of a file', t => {
  t.true([...listOf(violationEntry('/a')).entries()][0]?.isViolation)
  const digested = { ...fileEntry('/a'), isViolation: true }
  t.throws(() => listOf(digested), { code: 'ima-violation' })
})

test('a list of one bank has digests of that bank', t => {
  const entry = encodeEntry(fileEntry('/a'))
  const wide = Buffer.concat([entry.subarray(0, 24), Buffer.alloc(12, 1), entry.subarray(24)])
  t.is(parseImaList(wide, { digestSize: 32 }).count, 1)
  t.throws(() => parseImaList(wide), { name: 'ImaError' })
})

test('any bytes give a list or an error of the table', t => {
  const bytes = makeImaList([fileEntry('/a'), oldEntry('/b'), violationEntry('/c')])
  const random = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)).map(([at, value]) => {
      const changed = Buffer.from(bytes)
      changed[at] = value
      return changed
    }),
  )
  fc.assert(
    fc.property(
      random,
      fc.constantFrom('leave' as const, 'refuse' as const),
      (input, incompleteTail) => {
        try {
          const list = parseImaList(input, { incompleteTail })
          return [...list.entries()].length === list.count
        } catch (error) {
          return error instanceof ImaError
        }
      },
    ),
    { numRuns: 1000 },
  )
  t.pass()
})
