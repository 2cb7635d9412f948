import type { BootFacts } from '../eventlog/boot-facts.ts'
import type { TpmEvidence } from '../formats/tpm2/evidence.ts'
import { appraiseImaListInSlices, type ImaRules } from '../ima/appraise.ts'
import { runAtOnce, type Sliced } from '../slices.ts'
import type { Check } from '../verifier/check.ts'
import { EvidenceError } from '../verifier/error.ts'
import type { VerifiedEvidence } from '../verifier/evidence.ts'
import {
  verifyMeasuredBootInSlices,
  type MeasuredBoot,
  type MeasuredBootExpectations,
} from '../verifier/measured-boot.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import type { PlatformState } from './platform-state.ts'
import type { PolicyDocument } from './policy.ts'
import { rowOf, type RuleNeed } from './rule-table.ts'
import { imaPcr, type ImaFacts } from './rules/ima.ts'

/** Logs as they came beside a quote. Bytes, untrusted. */
export type HostLogs = Pick<TpmEvidence, 'eventLog' | 'imaLog'>

const seal: unique symbol = Symbol('measured platform')

interface Parts {
  readonly boot: BootFacts | undefined
  readonly ima: ImaFacts | undefined
  readonly imaState: string | null
  readonly checks: readonly Check[]
}

/** What the logs of a host show, held against the quote of one Evidence. Made by {@link verifyLogs} alone. */
export class MeasuredPlatform {
  readonly #evidence: VerifiedEvidence
  readonly #parts: Parts

  constructor(key: typeof seal, evidence: VerifiedEvidence, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifyLogs alone')
    this.#evidence = evidence
    this.#parts = parts
  }

  /** Whether it was held against the quote of this Evidence. */
  isOf(evidence: VerifiedEvidence): boolean {
    return this.#evidence === evidence
  }

  /** Undefined where the host sent no event log. */
  get boot(): BootFacts | undefined {
    return this.#parts.boot
  }

  /** Undefined where the host sent no list, or no rule asks for one. */
  get ima(): ImaFacts | undefined {
    return this.#parts.ima
  }

  /** Where the verification of the list goes on; null where none was looked at. */
  get imaState(): string | null {
    return this.#parts.imaState
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/** Events of one log; the longest known of real machines has a quarter of that. */
const maxEvents = 4096

/** Whether a policy has a rule that cannot hold without a log of this kind. */
export function needsLog({ rules }: PolicyDocument, log: RuleNeed): boolean {
  return rules.some(rule => rowOf(rule).needs === log)
}

/**
 * Verifies the logs that came with Evidence against its quote. An event log that was sent must lead to it, whatever the
 * policy asks for; a list of IMA is looked at where a rule does, since that says how it is extended.
 *
 * @param before the state that the attestation before left
 * @throws EvidenceError `eventlog-…`, `ima-…`, with the checks of the Evidence before them
 * @see RFC 9683 §2.1; verification sections 8 and 9
 */
export function verifyLogs(
  evidence: VerifiedEvidence,
  logs: HostLogs,
  policy: AppraisalPolicy,
  before: PlatformState | undefined,
): MeasuredPlatform {
  return runAtOnce(verifyLogsInSlices(evidence, logs, policy, before))
}

/** As {@link verifyLogs}, with breaks: a list of IMA may be long. */
export function* verifyLogsInSlices(
  evidence: VerifiedEvidence,
  { eventLog, imaLog }: HostLogs,
  policy: AppraisalPolicy,
  before: PlatformState | undefined,
): Sliced<MeasuredPlatform> {
  const { imaRules } = policy
  const isListed = imaRules !== undefined && evidence.pcrs.has(imaPcr)
  const used = { eventLog, imaLog: isListed ? imaLog : null }
  const expected = expectationsOf(evidence, policy.document, before)
  try {
    const measured = yield* verifyUsable(used, expected, policy.document)
    const { facts: boot, imaState, checks } = measured
    const ima = yield* imaFacts(measured, imaRules)
    return new MeasuredPlatform(seal, evidence, { boot, ima, imaState, checks })
  } catch (cause) {
    throw cause instanceof EvidenceError ? cause.after(evidence.checks) : cause
  }
}

/**
 * Known deviations of firmware do not make a log a forgery: rules about the boot refuse those that the policy does not
 * allow, as they do with PCRs that stay unexplained.
 */
function expectationsOf(
  { pcrs, facts }: VerifiedEvidence,
  { rules }: PolicyDocument,
  before: PlatformState | undefined,
): MeasuredBootExpectations {
  const ima = rules.find(rule => rule.kind === 'ima')
  return {
    quoted: [{ bank: 'sha256', values: pcrs }],
    resetCount: facts.clockInfo.resetCount,
    eventLog: { maxEvents, quirks: ['exit-boot-services-missing'] },
    templateHash: ima?.templateHash ?? 'bank',
    imaState: before?.ima ?? null,
  }
}

/** Codes of a log that says nothing about the bank that was quoted: no forgery, and of no use. */
const otherBank: readonly string[] = ['eventlog-legacy', 'eventlog-bank-missing']

/** Old firmware logs the SHA-1 bank alone: where no rule looks at the boot, its log is left aside. */
function* verifyUsable(
  logs: HostLogs,
  expected: MeasuredBootExpectations,
  policy: PolicyDocument,
): Sliced<MeasuredBoot> {
  try {
    return yield* verifyMeasuredBootInSlices(logs, expected)
  } catch (cause) {
    const isOfNoUse = cause instanceof EvidenceError && otherBank.includes(cause.code)
    if (!isOfNoUse || needsLog(policy, 'event-log')) throw cause
    return yield* verifyMeasuredBootInSlices({ ...logs, eventLog: null }, expected)
  }
}

function* imaFacts(
  { ima }: MeasuredBoot,
  rules: ImaRules | undefined,
): Sliced<ImaFacts | undefined> {
  if (ima === undefined || rules === undefined) return undefined
  const { count, pcrs, bootAggregate } = ima
  const appraisal = yield* appraiseImaListInSlices(ima, rules)
  return { ...count, pcrs, bootAggregate, appraisal }
}
