import test from 'ava'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { parseImaList } from '../../../src/core/ima/list.ts'
import { encodeImaState, parseImaState } from '../../../src/core/ima/state.ts'
import { verifyImaList } from '../../../src/core/ima/verify.ts'
import { requote } from '../../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  violationEntry,
  withIma,
} from '../../../swtpm/emulated/ima-list.ts'
import { aggregate, base, entries, listOf, quote, resetCount, verify } from './verify-fixtures.ts'

test('each kernel after kexec adds the aggregate of the same boot, and of no other', t => {
  const again = [...entries, aggregate, fileEntry('/second')]
  t.is(verify(again, withIma(base, again)).bootAggregate, 'verified')
  const other = [...entries, aggregateEntry(requote(base, 4, ['another boot']))]
  t.throws(() => verify(other, withIma(base, other)), { code: 'ima-boot-aggregate' })
  const unquoted: QuotedBank = { bank: 'sha256', values: new Map() }
  t.is(verify(again, withIma(unquoted, again)).bootAggregate, 'unproven')
  t.throws(() => verify(other, withIma(unquoted, other)), { code: 'ima-boot-aggregate' })
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
