import test from 'ava'
import * as fc from 'fast-check'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { verifyEventLog } from '../../../src/core/eventlog/verify.ts'
import { ImaError } from '../../../src/core/ima/error.ts'
import { parseImaList, type ImaList } from '../../../src/core/ima/list.ts'
import { encodeImaState, parseImaState } from '../../../src/core/ima/state.ts'
import { verifyImaList, VerifiedImaList } from '../../../src/core/ima/verify.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { makeEventLog, quoteOf, requote } from '../../../swtpm/emulated/event-log.ts'
import { unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'
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
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'

const boot = unifiedBoot()
const base = quoteOf(boot, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11])
const aggregate = aggregateEntry(base)
const files = ['/init', '/bin/sh', '/usr/bin/agent', '/lib/libc.so'].map(path => fileEntry(path))
const entries = [aggregate, ...files]
const resetCount = 7

function listOf(made: readonly MadeEntry[]): ImaList {
  return parseImaList(makeImaList(made))
}

function verify(
  made: readonly MadeEntry[],
  quote: QuotedBank,
  change: Partial<Parameters<typeof verifyImaList>[1]> = {},
): VerifiedImaList {
  return verifyImaList(listOf(made), { quoted: [quote], resetCount, ...change })
}

const quote = withIma(base, entries)

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

test('each kernel after kexec adds the aggregate of the same boot, and of no other', t => {
  const again = [...entries, aggregate, fileEntry('/second')]
  t.is(verify(again, withIma(base, again)).bootAggregate, 'verified')
  const other = [...entries, aggregateEntry(requote(base, 4, ['another boot']))]
  t.throws(() => verify(other, withIma(base, other)), { code: 'ima-boot-aggregate' })
  const unquoted: QuotedBank = { bank: 'sha256', values: new Map() }
  t.is(verify(again, withIma(unquoted, again)).bootAggregate, 'unproven')
  t.throws(() => verify(other, withIma(unquoted, other)), { code: 'ima-boot-aggregate' })
})

test('an empty beginning proves nothing', t => {
  t.throws(() => verify(entries, withIma(base, [])), { code: 'ima-pcr-differs' })
})

test('the next round passes through what was proven before, as a whole list or as the rest of it', t => {
  const first = verify(entries, withIma(base, entries.slice(0, 3)))
  const state = parseImaState(encodeImaState(first.state))
  t.deepEqual(state, first.state)
  const more = [...entries, violationEntry('/x'), fileEntry('/later')]
  const target = withIma(base, more)
  const whole = verify(more, target, { state })
  const rest = parseImaList(makeImaList(more).subarray(state.byteLength))
  const continued = verifyImaList(rest, { quoted: [target], resetCount, state, continues: true })
  t.deepEqual(continued.state, whole.state)
  t.is(continued.state.count, 7)
  t.is(continued.state.violations, 1)
  t.is(continued.count.proven, 4)
  t.is(continued.bootAggregate, 'verified')
  const empty = parseImaList(new Uint8Array(0), { allowEmpty: true })
  const idle = verifyImaList(empty, {
    quoted: [target],
    resetCount,
    state: continued.state,
    continues: true,
  })
  t.deepEqual(idle.state, continued.state)
})

test('a list that no longer holds what was proven is refused, whole or continued', t => {
  const { state } = verify(entries, quote)
  const code = 'ima-prefix-changed'
  const shorter = entries.slice(0, 3)
  t.throws(() => verify(shorter, withIma(base, shorter), { state }), { code })
  const altered = entries.with(1, fileEntry('/other'))
  t.throws(() => verify(altered, withIma(base, altered), { state }), { code })
  const rest = listOf([fileEntry('/later')])
  const wrong = withIma(base, [...altered, fileEntry('/later')])
  t.throws(() => verifyImaList(rest, { quoted: [wrong], resetCount, state, continues: true }), {
    code: 'ima-pcr-differs',
  })
})

test('a reset of the TPM begins anew: what was kept has no say, and nothing can continue it', t => {
  const { state } = verify(entries, quote)
  const fresh = [aggregate, fileEntry('/after/reset')]
  const target = withIma(base, fresh)
  t.is(verify(fresh, target, { state, resetCount: 8 }).state.resetCount, 8)
  t.throws(() => verify(fresh, target, { state }), { code: 'ima-prefix-changed' })
  const change = { state, resetCount: 8, continues: true }
  t.throws(() => verify(fresh, target, change), { code: 'ima-prefix-changed' })
  t.throws(() => verify(fresh, target, { continues: true }), { code: 'ima-prefix-changed' })
})

test('a state that was not written here is refused', t => {
  const { state } = verify(entries, quote)
  const text = encodeImaState(state)
  const change = (members: object): string => {
    const whole = { ...(JSON.parse(text) as object), ...members }
    return JSON.stringify(
      Object.fromEntries(Object.entries(whole).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    )
  }
  const wrong = [
    '',
    '{}',
    'null',
    '[]',
    `${text} `,
    text.replace('"version":1', '"version":2'),
    ...[
      { extra: 1 },
      { count: -1 },
      { resetCount: 1.5 },
      { bank: 'md5' },
      { templateHash: 'none' },
      { bootAggregate: 1 },
      { isBootVerified: 1 },
      { values: {} },
      { values: { 10: 'ab' } },
      { values: { 99: 'ab'.repeat(32) } },
    ].map(change),
  ]
  for (const made of wrong) t.throws(() => parseImaState(made), { code: 'ima-state' }, made)
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
