import test from 'ava'
import * as fc from 'fast-check'
import { CodedError } from '../../../src/core/coded-error.ts'
import { deriveFacts, type BootFacts } from '../../../src/core/eventlog/boot-facts.ts'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { EventLogError } from '../../../src/core/eventlog/error.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { replayEventLog } from '../../../src/core/eventlog/replay.ts'
import { verifyEventLog } from '../../../src/core/eventlog/verify.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { makeEventLog, quoteOf, type MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import { grubBoot, quotedPcrs, unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'

const boots = [grubBoot(), unifiedBoot()].map(events => {
  const bytes = makeEventLog(events)
  const quote = quoteOf(events, quotedPcrs)
  return { events, bytes, quote, facts: judge(bytes, quote) as BootFacts }
})

/** The facts, or that the log was refused by a code; any other end fails the test. */
function judge(bytes: Uint8Array, quote: QuotedBank): BootFacts | 'refused' {
  try {
    return deriveFacts(verifyEventLog(parseEventLog(bytes), [quote]))
  } catch (error) {
    if (error instanceof EventLogError || error instanceof EvidenceError) return 'refused'
    throw error
  }
}

const failed = ({ checks }: BootFacts): string[] =>
  checks.filter(({ outcome }) => outcome === 'fail').map(({ code }) => code)

/** What a policy could like better about `changed` than about `original`; nothing may be. */
function better(changed: BootFacts, original: BootFacts): string[] {
  const { secureBoot, bootLoader, unifiedKernel } = changed
  const found: string[] = []
  const healed = failed(original).filter(code => !failed(changed).includes(code))
  if (healed.length > 0) found.push(`checks ${healed.join()}`)
  if (![undefined, original.secureBoot.isEnabled].includes(secureBoot.isEnabled))
    found.push('Secure Boot')
  for (const [name, database] of Object.entries(secureBoot.databases))
    if (database.sha256 !== original.secureBoot.databases[name as 'db']?.sha256) found.push(name)
  if (lacks(changed.images, original.images)) found.push('images')
  if (lacks(changed.firmware.drivers, original.firmware.drivers)) found.push('drivers')
  const known = new Set(original.secureBoot.authorities.map(({ sha256 }) => sha256))
  if (secureBoot.authorities.some(({ sha256 }) => !known.has(sha256))) found.push('authorities')
  found.push(
    ...betterTexts(
      bootLoader,
      original.bootLoader,
      unifiedKernel?.parameters.length ?? 0,
      original.unifiedKernel?.parameters.length ?? 0,
      changed.unexplainedPcrs.includes(12),
    ),
  )
  const sections = new Set(
    original.unifiedKernel?.sections.map(({ name, digest }) => name + digest),
  )
  if (unifiedKernel?.sections.some(({ name, digest }) => !sections.has(name + digest)) === true)
    found.push('sections')
  return found
}

/** Whether a program that was started is not told of any more. */
function lacks(
  changed: readonly { readonly digest: string }[],
  original: readonly { readonly digest: string }[],
): boolean {
  const told = new Set(changed.map(({ digest }) => digest))
  return original.some(({ digest }) => !told.has(digest))
}

/** No text appears that was not measured, and one that disappears leaves something unknown behind. */
function betterTexts(
  changed: BootFacts['bootLoader'],
  original: BootFacts['bootLoader'],
  parameters: number,
  parametersBefore: number,
  isUnexplained: boolean,
): string[] {
  const texts = (facts: BootFacts['bootLoader']): string[] =>
    facts.commandLines.map(({ text }) => text)
  const measured = new Set([...texts(original), ...original.commands.map(({ text }) => text)])
  const invented = [...texts(changed), ...changed.commands.map(({ text }) => text)].filter(
    text => !measured.has(text),
  )
  const lost = texts(original).filter(text => !texts(changed).includes(text))
  if (isUnexplained) return invented.map(text => `text ${text}`)
  const unknown = changed.unknown.length - original.unknown.length + parameters - parametersBefore
  return [...invented.map(text => `text ${text}`), ...(lost.length > unknown ? lost : [])]
}

function assertNotBetter(
  t: { deepEqual(a: unknown, b: unknown, m?: string): unknown },
  result: BootFacts | 'refused',
  original: BootFacts,
  label: string,
): void {
  if (result !== 'refused') t.deepEqual(better(result, original), [], label)
}

/** Refused, or the PCR is marked as one that the log does not explain, and nothing is said of it. */
function isFoundOut(result: BootFacts | 'refused', pcrs: readonly number[]): boolean {
  return result === 'refused' || pcrs.some(pcr => result.unexplainedPcrs.includes(pcr))
}

test('the comparison sees what is better', t => {
  const [{ facts }] = boots as [(typeof boots)[0]]
  t.deepEqual(better(facts, facts), [])
  const off = { ...facts, secureBoot: { ...facts.secureBoot, isEnabled: false } }
  t.deepEqual(better(facts, off), ['Secure Boot'])
  t.deepEqual(better({ ...facts, images: [] }, facts), ['images'])
  t.deepEqual(
    better({ ...facts, bootLoader: { ...facts.bootLoader, commandLines: [] } }, facts).length,
    2,
  )
})

test('a flipped bit in any byte of a log never makes the verdict better', t => {
  for (const { bytes, quote, facts } of boots)
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      assertNotBetter(t, judge(flipped, quote), facts, `byte ${at}`)
    }
  t.pass()
})

test('any byte set to any value never makes the verdict better', t => {
  for (const { bytes, quote, facts } of boots)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(bytes)
        changed[at] = value
        const result = judge(changed, quote)
        return result === 'refused' || better(result, facts).length === 0
      }),
      { numRuns: 500 },
    )
  t.pass()
})

test('an event that is removed or duplicated, or extends another PCR, is found out', t => {
  for (const { events, quote, facts } of boots)
    for (const [i, event] of events.entries()) {
      const other = (event.pcr + 1) % 24
      const moved = events.with(i, { ...event, pcr: other })
      for (const changed of [events.toSpliced(i, 1), events.toSpliced(i, 0, event), moved]) {
        const result = judge(makeEventLog(changed), quote)
        t.true(isFoundOut(result, [event.pcr, other]), `event ${i}`)
        assertNotBetter(t, result, facts, `event ${i}`)
      }
    }
})

test('two events of one PCR that are swapped are found out; of two PCRs, nothing is better', t => {
  for (const { events, quote, facts } of boots)
    for (const [i, event] of events.entries()) {
      const next = events[i + 1]
      if (next === undefined) continue
      const result = judge(makeEventLog(events.with(i, next).with(i + 1, event)), quote)
      if (event.pcr === next.pcr) t.true(isFoundOut(result, [event.pcr]), `event ${i}`)
      assertNotBetter(t, result, facts, `event ${i}`)
    }
})

test('an event under any other type never makes the verdict better', t => {
  const types = [...Object.values(EVENT_TYPE), 0, 0xffff_ffff]
  for (const { events, quote, facts } of boots)
    for (const [i, event] of events.entries())
      for (const type of types) {
        const measured = event.measured ?? event.data
        const changed = events.with(i, { ...event, type, measured })
        assertNotBetter(t, judge(makeEventLog(changed), quote), facts, `event ${i} as ${type}`)
      }
})

test('an event with the data of any other, under any type of theirs, never makes the verdict better', t => {
  for (const { events, quote, facts } of boots)
    for (const [i, event] of events.entries())
      for (const other of events) {
        const measured = event.measured ?? event.data
        for (const type of [event.type, other.type]) {
          const changed = events.with(i, { ...event, type, data: other.data, measured })
          assertNotBetter(t, judge(makeEventLog(changed), quote), facts, `event ${i}`)
        }
      }
})

test('events that extend nothing may be added anywhere, and change nothing', t => {
  const silent: MadeEvent = { pcr: 6, type: EVENT_TYPE.NO_ACTION, data: Buffer.from('BIOS note') }
  for (const { events, quote, facts } of boots)
    for (const i of events.keys()) {
      const result = judge(makeEventLog(events.toSpliced(i, 0, silent)), quote)
      t.not(result, 'refused')
      assertNotBetter(t, result, facts, `event ${i}`)
    }
})

test('any bytes at all give a log or an error of the table, under every option', t => {
  const [{ bytes }] = boots as [(typeof boots)[0]]
  const random = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .tuple(fc.nat(bytes.length), fc.uint8Array({ maxLength: 80 }))
      .map(([length, tail]) => Buffer.concat([bytes.subarray(0, length), tail])),
  )
  fc.assert(
    fc.property(random, fc.boolean(), fc.boolean(), (input, allowLegacy, isCcel) => {
      try {
        const log = parseEventLog(input, { allowLegacy, isCcel })
        replayEventLog(log)
        return [...log.events()].length === log.count
      } catch (error) {
        return error instanceof CodedError && error.code.startsWith('eventlog-')
      }
    }),
    { numRuns: 1000 },
  )
  t.pass()
})
