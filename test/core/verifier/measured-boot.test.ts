import test from 'ava'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { verifyMeasuredBoot } from '../../../src/core/verifier/measured-boot.ts'
import {
  digestOf,
  headerRecord,
  specIdData,
  makeEventLog,
  quoteOf,
  requote,
} from '../../../swtpm/emulated/event-log.ts'
import { quotedPcrs, unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  withIma,
} from '../../../swtpm/emulated/ima-list.ts'

const boot = unifiedBoot()
const eventLog = makeEventLog(boot)
const base = quoteOf(boot, quotedPcrs)
const entries = [aggregateEntry(base), fileEntry('/init'), fileEntry('/eleven', 'x', { pcr: 11 })]
const imaLog = makeImaList(entries)
const quoted = [withIma(base, entries, [10, 11])]
const resetCount = 3

function refusal(run: () => unknown): EvidenceError {
  try {
    run()
  } catch (error) {
    if (error instanceof EvidenceError) return error
    throw error
  }
  throw new Error('it was accepted')
}

test('both logs of a boot lead to the PCRs of one quote', t => {
  const { facts, ima, imaState, checks } = verifyMeasuredBoot(
    { eventLog, imaLog },
    { quoted, resetCount },
  )
  t.is(facts?.secureBoot.isEnabled, true)
  t.deepEqual(ima?.count, { proven: 3, unproven: 0 })
  t.is(typeof imaState, 'string')
  t.true(checks.every(({ outcome }) => outcome === 'pass'))
  t.true(checks.some(({ code }) => code === 'eventlog-pcr-differs'))
  t.true(checks.some(({ code }) => code === 'ima-pcr-differs'))
  t.true(checks.some(({ code }) => code === 'eventlog-separators'))
})

test('a PCR that IMA extends after systemd is explained by both logs together', t => {
  const phases = requote(base, 11, ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'])
  const after = [withIma(phases, entries, [10, 11])]
  const rules = { quoted: after, resetCount, eventLog: { required: [11] } }
  const { eventLog: log, facts } = verifyMeasuredBoot({ eventLog, imaLog }, rules)
  t.is(log?.pcrs.find(({ pcr }) => pcr === 11)?.by, 'ima')
  t.is(facts?.unifiedKernel?.sections.length, 3)
  t.is(
    refusal(() => verifyMeasuredBoot({ eventLog, imaLog: null }, rules)).code,
    'eventlog-pcr-unexplained',
  )
  const more = [requote(after[0] ?? base, 11, ['more'])]
  const error = refusal(() => verifyMeasuredBoot({ eventLog, imaLog }, { ...rules, quoted: more }))
  t.is(error.code, 'eventlog-pcr-unexplained')
})

test('several quoted banks are kept apart', t => {
  const sha1 = withIma(quoteOf(boot, quotedPcrs, { bank: 'sha1' }), entries, [10, 11])
  const both = makeEventLog(boot, ['sha1', 'sha256'])
  const { ima } = verifyMeasuredBoot(
    { eventLog: both, imaLog },
    { quoted: [sha1, ...quoted], resetCount },
  )
  t.is(ima?.pcrs.length, 2)
})

test('a list that began elsewhere than where the boot ended explains nothing', t => {
  const { eventLog: log } = verifyMeasuredBoot({ eventLog, imaLog: null }, { quoted, resetCount })
  const elsewhere = { bank: 'sha256', pcrs: [11], start: () => [Buffer.alloc(32, 1)] } as const
  t.is(log?.explainedBy(elsewhere).isProven(11), false)
  t.is(log?.explainedBy({ ...elsewhere, bank: 'sha1' }).isProven(11), false)
  t.is(log?.explainedBy({ ...elsewhere, start: () => [] }).isProven(11), false)
})

test('a host without logs shows nothing, and nothing is held against it here', t => {
  const none = verifyMeasuredBoot({ eventLog: null, imaLog: null }, { quoted, resetCount })
  t.deepEqual(none, {
    eventLog: undefined,
    facts: undefined,
    ima: undefined,
    imaState: null,
    checks: [],
  })
})

test('a list alone is proven by its own PCR', t => {
  const { ima, facts } = verifyMeasuredBoot({ eventLog: null, imaLog }, { quoted, resetCount })
  t.deepEqual(ima?.pcrs, [10])
  t.is(facts, undefined)
})

test('what a parser refuses refuses the Evidence under the same code, with the digest of the bytes', t => {
  const cases = [
    [{ eventLog: eventLog.subarray(0, -1), imaLog: null }, 'eventlog-malformed'],
    [{ eventLog: new Uint8Array(0), imaLog: null }, 'eventlog-size'],
    [{ eventLog: headerRecord(specIdData([])), imaLog: null }, 'eventlog-header'],
    [{ eventLog, imaLog: new Uint8Array(0) }, 'ima-size'],
    [{ eventLog, imaLog: Buffer.alloc(60, 1) }, 'ima-template'],
    [{ eventLog, imaLog: null, userspaceLog: Buffer.from('x') }, 'eventlog-userspace-log'],
    [{ eventLog, imaLog: null, userspaceLog: Buffer.from('\u001E{') }, 'eventlog-userspace-log'],
  ] as const
  for (const [evidence, code] of cases) {
    const error = refusal(() => verifyMeasuredBoot(evidence, { quoted, resetCount }))
    t.is(error.code, code)
    const last = error.checks.at(-1)
    t.deepEqual([last?.code, last?.outcome], [code, 'fail'])
    t.regex(last?.bytesSha256 ?? '', /^[0-9a-f]{64}$/)
  }
  const state = refusal(() =>
    verifyMeasuredBoot({ eventLog, imaLog }, { quoted, resetCount, imaState: '{}' }),
  )
  t.is(state.code, 'ima-state')
})

test('an error that is no refusal is passed on', t => {
  const log = {
    get length(): number {
      throw new RangeError('a bug')
    },
  } as unknown as Uint8Array
  t.throws(() => verifyMeasuredBoot({ eventLog: log, imaLog: null }, { quoted, resetCount }), {
    instanceOf: RangeError,
  })
})

test('a refusal shows the checks that ran before it', t => {
  const altered = [requote(quoted[0] ?? base, 10, Buffer.alloc(32))]
  const error = refusal(() =>
    verifyMeasuredBoot({ eventLog, imaLog }, { quoted: altered, resetCount }),
  )
  t.is(error.code, 'ima-pcr-differs')
  t.true(error.checks.some(({ code }) => code === 'eventlog-pcr-differs'))
  const other = [requote(quoted[0] ?? base, 7, Buffer.alloc(32))]
  const first = refusal(() =>
    verifyMeasuredBoot({ eventLog, imaLog }, { quoted: other, resetCount }),
  )
  t.is(first.code, 'eventlog-pcr-differs')
})

test('an entry that is cut off at the end of a list is as unproven as those after the quote', t => {
  const longer = Buffer.concat([imaLog, makeImaList([fileEntry('/more')]).subarray(0, -3)])
  const { ima } = verifyMeasuredBoot({ eventLog, imaLog: longer }, { quoted, resetCount })
  t.is(ima?.count.proven, 3)
})

test('the state of one round is where the next goes on', t => {
  const { imaState } = verifyMeasuredBoot({ eventLog, imaLog }, { quoted, resetCount })
  const more = [...entries, fileEntry('/later')]
  const next = [withIma(base, more, [10, 11])]
  const whole = verifyMeasuredBoot(
    { eventLog, imaLog: makeImaList(more) },
    { quoted: next, resetCount, imaState },
  )
  const rest = verifyMeasuredBoot(
    { eventLog, imaLog: makeImaList(more.slice(3)) },
    { quoted: next, resetCount, imaState, imaContinues: true },
  )
  t.is(whole.imaState, rest.imaState)
  const nothing = verifyMeasuredBoot(
    { eventLog, imaLog: new Uint8Array(0) },
    { quoted: next, resetCount, imaState: whole.imaState, imaContinues: true },
  )
  t.is(nothing.imaState, whole.imaState)
})

test("systemd's log and the rules of the event log are passed on", t => {
  const text = 'machine-id:x'
  const digest = Buffer.from(digestOf('sha256', Buffer.from(text))).toString('hex')
  const line = { pcr: 15, digests: [{ hashAlg: 'sha256', digest }], content: { string: text } }
  const userspaceLog = Buffer.from(`\u001E${JSON.stringify(line)}`)
  const later = [requote(quoteOf(boot, [...quotedPcrs, 15]), 15, [text])]
  const rules = { quoted: later, resetCount, eventLog: { required: [15] } }
  t.true(verifyMeasuredBoot({ eventLog, imaLog: null, userspaceLog }, rules).eventLog?.isProven(15))
  const error = refusal(() =>
    verifyMeasuredBoot({ eventLog, imaLog: null, userspaceLog: null }, rules),
  )
  t.is(error.code, 'eventlog-pcr-unexplained')
})
