import { isEqual } from '../bytes/equal.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import type { EventLog } from './event-log.ts'
import {
  reachableValues,
  valueAfterUnloggedExit,
  type EventLogQuirk,
  type ExplainedBy,
} from './explanation.ts'
import { extendPcr, type ReplayedBank } from './replay.ts'
import type { UserspaceEvent } from './userspace-log.ts'
import { EVENT_TYPE } from './event-type.ts'

/** What may explain a PCR beside the log, and what must be explained. */
export interface ExplanationRules {
  /** PCRs that may not stay unexplained although the running system extends them. */
  readonly required?: readonly number[]
  /** Deviations that are allowed; each that is used is recorded. */
  readonly quirks?: readonly EventLogQuirk[]
  /** What the running system logged of its own measurements; parsed, untrusted. */
  readonly userspace?: readonly UserspaceEvent[]
}

/** One PCR to explain. */
export interface PcrInQuestion {
  readonly log: EventLog
  readonly bank: ReplayedBank
  readonly pcr: number
  /** As the TPM signed it. */
  readonly value: Uint8Array
}

/**
 * PCRs that a running system extends or resets without the firmware's log: 10 by IMA, 11 to 13 and 15 by systemd, 16
 * and 23 by anyone, 17 to 22 by a dynamic launch.
 */
const extendedLater: readonly number[] = [10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23]

/**
 * How a PCR came to its value.
 *
 * @throws EvidenceError `eventlog-bank-unverifiable`, `eventlog-bank-capped`, `eventlog-quirk`,
 *   `eventlog-pcr-unexplained`, `eventlog-pcr-differs`
 */
export function explainPcr(
  checks: CheckRecorder,
  question: PcrInQuestion,
  rules: ExplanationRules,
): ExplainedBy {
  const { log, bank, pcr, value } = question
  const { bytes } = log
  const found = `PCR ${pcr} of ${bank.hash.name}`
  const replayed = bank.values[pcr]
  if (replayed === undefined) checks.refuse('eventlog-bank-unverifiable', { found, bytes })
  for (const reachable of reachableValues(bank.hash.name, pcr, replayed, rules.userspace ?? []))
    if (isEqual(reachable.value, value)) return reachable.how
  if (isCapped(question, replayed)) checks.refuse('eventlog-bank-capped', { found, bytes })
  const quirk = quirkOf(question, replayed)
  if (quirk !== undefined) {
    const isAllowed = rules.quirks?.includes(quirk) === true
    checks.require(isAllowed, 'eventlog-quirk', { found: quirk, bytes })
    return { by: 'quirk', quirk }
  }
  const isRequired = rules.required?.includes(pcr) === true
  if (extendedLater.includes(pcr) && !isRequired) return { by: 'unexplained' }
  const code = extendedLater.includes(pcr) ? 'eventlog-pcr-unexplained' : 'eventlog-pcr-differs'
  return checks.refuse(code, { found, bytes })
}

/** Windows closes the bank that it does not use by extending zeros (verification L3). */
function isCapped({ bank, value }: PcrInQuestion, replayed: Uint8Array): boolean {
  const cap = new Uint8Array(bank.hash.size)
  return isEqual(extendPcr(bank.hash.name, replayed, cap), value)
}

function quirkOf(
  { log, bank, pcr, value }: PcrInQuestion,
  replayed: Uint8Array,
): EventLogQuirk | undefined {
  if (pcr !== 5 || !isEqual(valueAfterUnloggedExit(bank.hash.name, replayed), value))
    return undefined
  return endsBootServices(log) ? undefined : 'exit-boot-services-missing'
}

/** Whether the log itself tells of the end of boot services; then nothing of it can be missing. */
function endsBootServices(log: EventLog): boolean {
  const prefix = Buffer.from('Exit Boot Services')
  for (const { pcr, type, data } of log.events()) {
    const isAction = pcr === 5 && type === EVENT_TYPE.EFI_ACTION
    if (isAction && Buffer.compare(data.subarray(0, prefix.length), prefix) === 0) return true
  }
  return false
}
