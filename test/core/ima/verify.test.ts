import test from 'ava'
import * as fc from 'fast-check'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { verifyEventLog } from '../../../src/core/eventlog/verify.ts'
import { ImaError } from '../../../src/core/ima/error.ts'
import { parseImaList } from '../../../src/core/ima/list.ts'
import { verifyImaList, VerifiedImaList } from '../../../src/core/ima/verify.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { makeEventLog, quoteOf, requote } from '../../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  digestField,
  entryOf,
  fileEntry,
  imaPcr,
  makeImaList,
  oldEntry,
  violationEntry,
  withIma,
} from '../../../swtpm/emulated/ima-list.ts'
import {
  aggregate,
  base,
  boot,
  entries,
  files,
  listOf,
  quote,
  resetCount,
  verify,
} from './verify-fixtures.ts'

test('a list that leads to the quoted value is proven to its end', t => {
  const verified = verify(entries, quote)
  t.deepEqual(verified.count, { proven: 5, unproven: 0 })
  t.is(verified.bootAggregate, 'verified')
  t.deepEqual(verified.pcrs, [10])
  t.deepEqual(verified.start(10), [new Uint8Array(32)])
  t.deepEqual(verified.start(11), [])
  t.deepEqual(verified.start(10), [new Uint8Array(32)])
  t.deepEqual(verified.start(11), [])
  t.deepEqual([...verified.entries()].map(({ name }) => name).slice(1), [
    '/init',
    '/bin/sh',
    '/usr/bin/agent',
    '/lib/libc.so',
  ])
  t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
})

test('only verifyImaList makes a verified list', t => {
  t.throws(() => Reflect.construct(VerifiedImaList, [Symbol('seal'), {}]), {
    instanceOf: TypeError,
  })
})

test('a list may be ahead of the quote: what follows is unproven', t => {
  for (let length = 1; length <= entries.length; length += 1) {
    const verified = verify(entries, withIma(base, entries.slice(0, length)))
    t.deepEqual(verified.count, { proven: length, unproven: entries.length - length })
    t.is([...verified.entries()].length, length)
    t.is(verified.state.count, length)
  }
})

test('an entry that is removed, swapped, changed, added in between or relabelled is refused', t => {
  const code = 'ima-pcr-differs'
  const [a = aggregate, b = aggregate] = files
  const changed = [
    entries.toSpliced(2, 1),
    entries.with(1, b).with(2, a),
    entries.with(2, fileEntry('/bin/other', '/bin/sh')),
    entries.with(2, fileEntry('/bin/sh', 'other content')),
    entries.toSpliced(2, 0, fileEntry('/bin/extra')),
    entries.with(2, { ...b, pcr: 11 }),
    entries.with(2, violationEntry('/bin/sh')),
    entries.slice(0, -1),
  ]
  for (const made of changed) t.throws(() => verify(made, quote), { code })
})

test('a flipped bit in any byte of a list proves nothing more', t => {
  const bytes = makeImaList(entries)
  const names = new Set([...verify(entries, quote).entries()].map(({ name }) => name))
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
    try {
      const verified = verifyImaList(parseImaList(flipped), { quoted: [quote], resetCount })
      t.true(
        [...verified.entries()].every(({ name }) => names.has(name)),
        `byte ${at}`,
      )
      t.is(verified.count.proven, 5)
    } catch (error) {
      t.true(error instanceof ImaError || error instanceof EvidenceError, `byte ${at}`)
    }
  }
})

test('any lists at all end in a value or a coded error', t => {
  const pool = [...entries, violationEntry('/x'), oldEntry('/y'), fileEntry('/z', 'z', { pcr: 11 })]
  fc.assert(
    fc.property(fc.array(fc.nat(pool.length - 1), { minLength: 1, maxLength: 8 }), picks => {
      try {
        verify(
          picks.map(i => pool[i] ?? aggregate),
          quote,
        )
        return picks.slice(0, 5).join() === '0,1,2,3,4'
      } catch (error) {
        return error instanceof EvidenceError
      }
    }),
  )
  t.pass()
})

test('a violation extends ones, and is counted', t => {
  const made = [...entries, violationEntry('/var/log'), fileEntry('/after')]
  const verified = verify(made, withIma(base, made))
  t.is(verified.state.violations, 1)
  const passedOff = made.with(5, fileEntry('/var/log'))
  t.throws(() => verify(passedOff, withIma(base, made)), { code: 'ima-pcr-differs' })
})

test('the old template is hashed with its name in 256 bytes', t => {
  const made = [aggregate, oldEntry('/init'), oldEntry('/bin/sh')]
  t.is(verify(made, withIma(base, made)).count.proven, 3)
})

test('a kernel extends each bank by its own hash, or by SHA-1 with zeros, and the host is held to one of the two', t => {
  const padded = withIma(base, entries, [10], true)
  const templateHash = 'sha1-padded'
  t.is(verify(entries, padded, { templateHash }).state.templateHash, templateHash)
  t.throws(() => verify(entries, padded), { code: 'ima-pcr-differs' })
  t.throws(() => verify(entries, quote, { templateHash }), { code: 'ima-pcr-differs' })
  const { state } = verify(entries, quote)
  t.throws(() => verify(entries, padded, { templateHash, state }), { code: 'ima-template-hash' })
})

test('in a bank of SHA-1 there is but one way', t => {
  const sha1 = withIma(quoteOf(boot, [0, 1, 2, 3, 4, 5, 6, 7], { bank: 'sha1' }), entries)
  for (const templateHash of ['bank', 'sha1-padded'] as const) {
    const verified = verify(entries, sha1, { templateHash })
    t.is(verified.count.proven, 5)
    t.is(verified.bootAggregate, 'unproven')
  }
})

test('the strongest bank that covers the PCR is used; none is refused', t => {
  const sha1 = withIma(quoteOf(boot, [0, 7], { bank: 'sha1' }), entries)
  const both = verifyImaList(listOf(entries), { quoted: [sha1, quote], resetCount })
  t.is(both.state.bank, 'sha256')
  const weaker = verifyImaList(listOf(entries), { quoted: [sha1, base], resetCount })
  t.is(weaker.state.bank, 'sha1')
  t.is(weaker.bootAggregate, 'verified')
  t.throws(() => verify(entries, base), { code: 'ima-pcr-unquoted' })
})

test('entries are routed to the PCR in their own header', t => {
  const made = [
    aggregate,
    ...files.slice(0, 2),
    fileEntry('/eleven', 'x', { pcr: 11 }),
    ...files.slice(2),
  ]
  const log = verifyEventLog(parseEventLog(makeEventLog(boot)), [base])
  const start = new Map([[11, log.startValues('sha256', 11)]])
  const both = withIma(base, made, [10, 11])
  const verified = verify(made, both, { start })
  t.deepEqual(
    verified.pcrs.toSorted((a, b) => a - b),
    [10, 11],
  )
  t.is([...verified.entries()].length, 6)
  const ready = requote(base, 11, ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'])
  t.is(verify(made, withIma(ready, made, [10, 11]), { start }).pcrs.length, 2)
  const moved = made.with(3, fileEntry('/eleven', 'x'))
  t.throws(() => verify(moved, both, { start }), { code: 'ima-pcr-differs' })
})

test('a second PCR that cannot be explained leaves its entries unproven, those of the first stand', t => {
  const made = [aggregate, ...files, fileEntry('/eleven', 'x', { pcr: 11 })]
  const other = requote(withIma(base, made, [10, 11]), 11, ['more'])
  const start = new Map([[11, [base.values.get(11) ?? Buffer.alloc(32)]]])
  const verified = verify(made, other, { start })
  t.deepEqual(verified.pcrs, [10])
  t.true([...verified.entries()].every(({ pcr }) => pcr === 10))
  t.deepEqual(verified.count, { proven: 5, unproven: 1 })
  const matching = verify(made, withIma(base, made, [10, 11]), { start })
  t.deepEqual(matching.count, { proven: 6, unproven: 0 })
  const unquoted = verify(made, withIma(base, made))
  t.deepEqual(unquoted.pcrs, [10])
})

test('a list that another PCR than 10 is bound by', t => {
  const made = [aggregate, ...files].map(entry => ({ ...entry, pcr: 14 }))
  const bound = withIma(base, made, [14])
  t.is(verify(made, bound, { pcr: 14 }).count.proven, 5)
})

test('a list begins with the aggregate of the quoted boot', t => {
  const code = 'ima-boot-aggregate'
  const other = aggregateEntry(requote(base, 4, ['another boot']))
  const zero = fileEntry('boot_aggregate')
  const blank = { ...aggregate, data: Buffer.from(aggregate.data).fill(0, 12, 44) }
  for (const first of [other, zero, blank]) {
    const made = [first, ...files]
    t.throws(() => verify(made, withIma(base, made)), { code })
  }
  t.throws(() => verify(files, withIma(base, files)), { code })
  const late = [...files, aggregate]
  t.throws(() => verify(late, withIma(base, late)), { code })
})

test('an aggregate may be called late, be of another bank, or stay unproven', t => {
  const sha1Base = quoteOf(boot, [0, 1, 2, 3, 4, 5, 6, 7], { bank: 'sha1' })
  for (const [first, quoted, standing] of [
    [aggregateEntry(base, 'boot_aggregate_late'), [], 'verified'],
    [aggregateEntry(sha1Base), [sha1Base], 'verified'],
    [aggregateEntry(sha1Base), [], 'unproven'],
  ] as const) {
    const made = [first, ...files]
    const expected = { quoted: [withIma(base, made), ...quoted], resetCount }
    t.is(verifyImaList(listOf(made), expected).bootAggregate, standing)
  }
  const partial: QuotedBank = {
    bank: 'sha256',
    values: new Map([...base.values].filter(([pcr]) => pcr !== 9)),
  }
  t.is(verify(entries, withIma(partial, entries)).bootAggregate, 'unproven')
})

test('an empty beginning proves nothing', t => {
  t.throws(() => verify(entries, withIma(base, [])), { code: 'ima-pcr-differs' })
})

test('an aggregate of a verity tree is none', t => {
  const field = digestField('x', 'sha256', 'verity:')
  const first = entryOf('ima-ngv2', [field, Buffer.from('boot_aggregate\0')])
  const made = [first, ...files]
  t.throws(() => verify(made, withIma(base, made)), { code: 'ima-boot-aggregate' })
})

test('PCR values are those of an independent replay', t => {
  t.is(
    Buffer.from(imaPcr([aggregate])).toString('hex'),
    verify(entries, withIma(base, [aggregate])).state.values['10'] ?? '',
  )
})
