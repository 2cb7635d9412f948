import { parseEventLog, type EventLog } from '../../src/core/eventlog/event-log.ts'
import { EventLogError } from '../../src/core/eventlog/error.ts'
import type { QuotedBank } from '../../src/core/eventlog/quote.ts'
import { replayEventLog, type ReplayedPcrs } from '../../src/core/eventlog/replay.ts'
import { verifyEventLog } from '../../src/core/eventlog/verify.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import type { CheckVector, Finding, ManifestEntry, Verdict } from './vector.ts'

/**
 * A log is judged by its verdict: `refuse` under the default policy, `accept` with the format of TPM 1.2 allowed by
 * name where it is in that format, which without that is refused as well. Then every PCR of every bank that can be
 * replayed is compared with the independent replay, and the log is verified against those values as a quote's.
 */
export const check: CheckVector = (entry, bytes) => [
  ...judge(entry, bytes),
  ...compare(entry, parseEventLog(bytes, { allowLegacy: true })),
]

function judge({ file, verdict, banks }: ManifestEntry, bytes: Uint8Array): Finding[] {
  if (verdict === 'suite') return []
  const isLegacy = banks === null
  const strict: Finding = {
    name: `${file} by default`,
    expected: isLegacy ? 'refuse' : verdict,
    ...read(bytes, false),
  }
  const allowed: Finding = { name: file, expected: 'accept', ...read(bytes, true) }
  return isLegacy && verdict === 'accept' ? [allowed, strict] : [strict]
}

function read(bytes: Uint8Array, allowLegacy: boolean): { found: Verdict; detail?: string } {
  try {
    parseEventLog(bytes, { allowLegacy })
    return { found: 'accept' }
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error
    return { found: error.code === 'eventlog-legacy' ? 'refuse' : 'malformed', detail: error.code }
  }
}

function compare(entry: ManifestEntry, log: EventLog): Finding[] {
  const replayed = replayEventLog(log)
  const banks = Object.entries(entry.pcrs ?? {})
  const pcrs = banks.flatMap(([bank, values]) =>
    Object.entries(values).map(([pcr, value]) => {
      const own = replayed.banks.get(bank as 'sha256')?.values[Number(pcr)]
      const isEqual = own !== undefined && Buffer.from(own).toString('hex') === value
      return findingOf(`${entry.file} ${bank} PCR ${pcr}`, isEqual)
    }),
  )
  const events = findingOf(`${entry.file} number of events`, log.count === entry.events)
  return [events, extent(entry, replayed), ...pcrs, ...verify(entry, log)]
}

/** No PCR is missing in either of the two replays. */
function extent(entry: ManifestEntry, replayed: ReplayedPcrs): Finding {
  const named = Object.values(entry.pcrs ?? {}).map(values => Object.keys(values).join())
  const own = replayed.extended.join()
  return findingOf(
    `${entry.file} extended PCRs`,
    named.every(list => list === own),
  )
}

/** Each bank of the independent replay, taken as quoted. */
function verify(entry: ManifestEntry, log: EventLog): Finding[] {
  const banks = Object.entries(entry.pcrs ?? {}).filter(([, row]) => Object.keys(row).length > 0)
  return banks.map(([bank, row]) => {
    const name = `${entry.file} ${bank} as quoted`
    const values = new Map(
      Object.entries(row).map(([pcr, value]) => [Number(pcr), Buffer.from(value, 'hex')]),
    )
    try {
      verifyEventLog(log, [{ bank: bank as QuotedBank['bank'], values }])
      return findingOf(name, true)
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      return { ...findingOf(name, false), detail: error.code }
    }
  })
}

function findingOf(name: string, holds: boolean): Finding {
  return { name, expected: 'accept', found: holds ? 'accept' : 'refuse' }
}
