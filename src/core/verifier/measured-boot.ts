import { deriveFacts, type BootFacts } from '../eventlog/boot-facts.ts'
import { EventLogError } from '../eventlog/error.ts'
import type { ExplanationRules } from '../eventlog/explain.ts'
import { parseEventLog, type EventLogOptions } from '../eventlog/event-log.ts'
import type { QuotedBank } from '../eventlog/quote.ts'
import { parseUserspaceLog, UserspaceLogError } from '../eventlog/userspace-log.ts'
import { verifyEventLog, type VerifiedEventLog } from '../eventlog/verify.ts'
import { ImaError } from '../ima/error.ts'
import { parseImaListInSlices } from '../ima/list.ts'
import type { TemplateHash } from '../ima/replay.ts'
import { encodeImaState, parseImaState } from '../ima/state.ts'
import { verifyImaListInSlices, type VerifiedImaList } from '../ima/verify.ts'
import { runAtOnce, type Sliced } from '../slices.ts'
import { CheckRecorder, type Check } from './check.ts'

/** The logs that a host sent beside its quote; null where it has none. Bytes, untrusted. */
export interface MeasuredBootEvidence {
  readonly eventLog: Uint8Array | null
  readonly imaLog: Uint8Array | null
  /** systemd's tpm2-measure.log. */
  readonly userspaceLog?: Uint8Array | null
}

/** What the logs are held against. */
export interface MeasuredBootExpectations {
  /** From a verified quote. */
  readonly quoted: readonly QuotedBank[]
  /** Of the same quote. */
  readonly resetCount: number
  readonly eventLog?: EventLogOptions & Omit<ExplanationRules, 'userspace'>
  readonly templateHash?: TemplateHash
  /** What the round before left of IMA, as `imaState` gave it; null at the first. */
  readonly imaState?: string | null
  /** Whether the list goes on where that state ended. */
  readonly imaContinues?: boolean
}

/** What the logs show. A member is undefined where the host sent no such log: whether that will do, a policy decides. */
export interface MeasuredBoot {
  readonly eventLog: VerifiedEventLog | undefined
  readonly facts: BootFacts | undefined
  readonly ima: VerifiedImaList | undefined
  /** To be kept for the next round; null where there was no list. */
  readonly imaState: string | null
  /** All that ran, those about facts among them: of these one may have failed without refusing the Evidence. */
  readonly checks: readonly Check[]
}

/**
 * Reads the logs of a boot and holds them against the PCRs of a quote: the firmware's, then the list of IMA, which may
 * extend PCRs that the boot extended before.
 *
 * @throws EvidenceError `eventlog-…`, `ima-…`
 * @see RFC 9683 §2.1; verification sections 8 and 9
 */
export function verifyMeasuredBoot(
  evidence: MeasuredBootEvidence,
  expected: MeasuredBootExpectations,
): MeasuredBoot {
  return runAtOnce(verifyMeasuredBootInSlices(evidence, expected))
}

/** As {@link verifyMeasuredBoot}, with breaks: a list of IMA may be long. */
export function* verifyMeasuredBootInSlices(
  evidence: MeasuredBootEvidence,
  expected: MeasuredBootExpectations,
): Sliced<MeasuredBoot> {
  const checks = new CheckRecorder()
  const firmware = verifyLog(checks, evidence, expected)
  const ima = yield* verifyList(checks, evidence.imaLog, expected, firmware)
  const eventLog = ima === undefined ? firmware : firmware?.explainedBy(ima)
  requireExplained(checks, eventLog, expected.eventLog?.required ?? [])
  const facts = eventLog === undefined ? undefined : deriveFacts(eventLog)
  checks.adopt(facts?.checks ?? [])
  const imaState = ima === undefined ? null : encodeImaState(ima.state)
  return { eventLog, facts, ima, imaState, checks: checks.list }
}

function verifyLog(
  checks: CheckRecorder,
  { eventLog: bytes, userspaceLog }: MeasuredBootEvidence,
  { quoted, eventLog: rules = {} }: MeasuredBootExpectations,
): VerifiedEventLog | undefined {
  if (bytes === null) return undefined
  const log = read(checks, bytes, () => parseEventLog(bytes, rules))
  checks.pass('eventlog-malformed', bytes, `${log.count} events`)
  const userspace =
    userspaceLog === null || userspaceLog === undefined
      ? []
      : read(checks, userspaceLog, () => parseUserspaceLog(userspaceLog))
  // What must be explained may be so by IMA's list, which comes after.
  const open = { ...rules, userspace, required: [] }
  const verified = checks.within(() => verifyEventLog(log, quoted, open))
  checks.adopt(verified.checks)
  return verified
}

function requireExplained(
  checks: CheckRecorder,
  eventLog: VerifiedEventLog | undefined,
  required: readonly number[],
): void {
  const open = eventLog?.pcrs.filter(
    ({ by, pcr }) => by === 'unexplained' && required.includes(pcr),
  )
  const [first] = open ?? []
  if (first !== undefined)
    checks.refuse('eventlog-pcr-unexplained', { found: `PCR ${first.pcr} of ${first.bank}` })
}

function* verifyList(
  checks: CheckRecorder,
  bytes: Uint8Array | null,
  expected: MeasuredBootExpectations,
  eventLog: VerifiedEventLog | undefined,
): Sliced<VerifiedImaList | undefined> {
  if (bytes === null) return undefined
  const { quoted, resetCount, templateHash = 'bank', imaState, imaContinues = false } = expected
  // Whatever a quote does not cover stays unproven, an entry that is cut off like all others after it.
  const options = { incompleteTail: 'leave', allowEmpty: imaContinues } as const
  const list = yield* readInSlices(checks, bytes, parseImaListInSlices(bytes, options))
  checks.pass('ima-malformed', bytes, `${list.count} entries`)
  const kept = typeof imaState === 'string' ? imaState : undefined
  const state = kept === undefined ? undefined : read(checks, bytes, () => parseImaState(kept))
  const start = startOf(list.pcrs, quoted, eventLog)
  const against = { quoted, resetCount, templateHash, start, continues: imaContinues }
  const known = state === undefined ? {} : { state }
  const verified = yield* checks.withinSlices(verifyImaListInSlices(list, { ...against, ...known }))
  checks.adopt(verified.checks)
  return verified
}

/** Where the boot left the PCRs that the list extends beside its own. */
function startOf(
  pcrs: ReadonlySet<number>,
  quoted: readonly QuotedBank[],
  eventLog: VerifiedEventLog | undefined,
): ReadonlyMap<number, readonly Uint8Array[]> {
  const others = [...pcrs].filter(pcr => pcr !== 10)
  return new Map(
    others.map(pcr => [pcr, quoted.flatMap(({ bank }) => eventLog?.startValues(bank, pcr) ?? [])]),
  )
}

/** What a parser refuses becomes a refusal of Evidence under the same code. */
function read<T>(checks: CheckRecorder, bytes: Uint8Array, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    return refuse(checks, bytes, cause)
  }
}

function* readInSlices<T>(checks: CheckRecorder, bytes: Uint8Array, parse: Sliced<T>): Sliced<T> {
  try {
    return yield* parse
  } catch (cause) {
    return refuse(checks, bytes, cause)
  }
}

function refuse(checks: CheckRecorder, bytes: Uint8Array, cause: unknown): never {
  const isRefusal =
    cause instanceof EventLogError ||
    cause instanceof ImaError ||
    cause instanceof UserspaceLogError
  if (!isRefusal) throw cause
  const { expected, found } = cause
  return checks.refuse(cause.code, {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    cause,
    bytes,
  })
}
