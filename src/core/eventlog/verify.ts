import { isEqual } from '../bytes/equal.ts'
import { CheckRecorder, type Check } from '../verifier/check.ts'
import { hashAlgorithms, type HashAlgorithm } from '../tpm/algorithm.ts'
import type { EventLog } from './event-log.ts'
import { explainPcr, type ExplanationRules } from './explain.ts'
import { reachableValues, type EventLogQuirk, type PcrExplanation } from './explanation.ts'
import type { QuotedBank } from './quote.ts'
import { initialPcr, replayEventLog, type ReplayedBank } from './replay.ts'

const seal = Symbol('verified event log')

/** A verified log that extends PCRs after this one, such as IMA's list. */
export interface LaterLog {
  readonly bank: HashAlgorithm['name']
  /** PCRs whose quoted values it leads to. */
  readonly pcrs: readonly number[]
  /** What it took the PCR to have held before. */
  readonly start: (pcr: number) => readonly Uint8Array[]
}

interface Parts {
  readonly log: EventLog
  readonly bank: HashAlgorithm
  readonly replayed: ReadonlyMap<HashAlgorithm['name'], ReplayedBank>
  readonly rules: ExplanationRules
  readonly pcrs: readonly PcrExplanation[]
  readonly checks: readonly Check[]
}

/** A log that leads to the PCR values of a verified quote: its digests are genuine, in their order within each PCR. */
export class VerifiedEventLog {
  readonly #parts: Parts

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifyEventLog alone')
    this.#parts = parts
  }

  get log(): EventLog {
    return this.#parts.log
  }

  /** The strongest bank that was quoted: what facts are drawn from. */
  get bank(): HashAlgorithm {
    return this.#parts.bank
  }

  /** How each quoted PCR came to its value, in each quoted bank. */
  get pcrs(): readonly PcrExplanation[] {
    return this.#parts.pcrs
  }

  /** Quirks without which the log would not have been accepted. */
  get quirks(): readonly EventLogQuirk[] {
    return this.pcrs.flatMap(row => (row.by === 'quirk' ? [row.quirk] : []))
  }

  /** Whether the digests of this PCR are shown by the quote, in the bank of the facts. */
  isProven(pcr: number): boolean {
    return this.pcrs.some(
      row => row.pcr === pcr && row.bank === this.bank.name && row.by !== 'unexplained',
    )
  }

  /** Values that a PCR can have had when another log, such as IMA's, began to extend it. */
  startValues(bank: HashAlgorithm['name'], pcr: number): Uint8Array[] {
    const replayed = this.#parts.replayed.get(bank)?.values[pcr]
    if (replayed === undefined) return []
    const { userspace = [] } = this.#parts.rules
    return [...reachableValues(bank, pcr, replayed, userspace)].map(({ value }) => value)
  }

  /**
   * The same log, with PCRs explained that it leaves unexplained and that `later` leads from its values to the quoted
   * ones.
   */
  explainedBy(later: LaterLog): VerifiedEventLog {
    const pcrs = this.pcrs.map(row => {
      const isLater = row.by === 'unexplained' && row.bank === later.bank
      const isReached = isLater && later.pcrs.includes(row.pcr) && this.#begins(later, row.pcr)
      return isReached ? { bank: row.bank, pcr: row.pcr, by: 'ima' as const } : row
    })
    return new VerifiedEventLog(seal, { ...this.#parts, pcrs })
  }

  /** Whether a later log began at values that this one leads to, and at no other. */
  #begins(later: LaterLog, pcr: number): boolean {
    const own = this.startValues(later.bank, pcr)
    const taken = later.start(pcr)
    const isOwn = taken.every(value => own.some(candidate => isEqual(candidate, value)))
    return taken.length > 0 && isOwn
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/**
 * Holds a log against the PCRs of a verified quote, every one in every quoted bank. What the firmware and the boot
 * loader own must be explained in full; what the running system extends may stay unexplained, and is marked so.
 *
 * @param quoted from a quote whose signature, nonce and selection were verified; not empty
 * @throws EvidenceError `eventlog-bank-…`, `eventlog-pcr-…`, `eventlog-quirk`
 * @see TCG PC Client Platform Firmware Profile r1.05 §3.3.4; verification L6, L7, L9, L14, L15
 */
export function verifyEventLog(
  log: EventLog,
  quoted: readonly QuotedBank[],
  rules: ExplanationRules = {},
): VerifiedEventLog {
  if (log.format === 'ccel') throw new TypeError('a CCEL is not about PCRs')
  const checks = new CheckRecorder()
  const replayed = replayEventLog(log)
  const pcrs = quoted.flatMap(bank => verifyBank(checks, log, bank, replayed.banks, rules))
  const bank = strongestOf(quoted)
  const parts = { log, bank, replayed: replayed.banks, rules, pcrs, checks: checks.list }
  return new VerifiedEventLog(seal, parts)
}

function verifyBank(
  checks: CheckRecorder,
  log: EventLog,
  quoted: QuotedBank,
  replayed: ReadonlyMap<string, ReplayedBank>,
  rules: ExplanationRules,
): PcrExplanation[] {
  const { bytes } = log
  const bank = replayed.get(quoted.bank)
  if (bank === undefined) checks.refuse('eventlog-bank-missing', { found: quoted.bank, bytes })
  checks.pass('eventlog-bank-missing', bytes, quoted.bank)
  const wrong = [...quoted.values].find(([, value]) => value.length !== bank.hash.size)
  checks.require(wrong === undefined, 'eventlog-pcr-width', { expected: `${bank.hash.size} bytes` })
  checks.require(isExtendedByFirmware(quoted), 'eventlog-bank-not-extended', {
    found: quoted.bank,
    bytes,
  })
  const pcrs = [...quoted.values].map(([pcr, value]) => {
    const how = explainPcr(checks, { log, bank, pcr, value }, rules)
    return { bank: quoted.bank, pcr, ...how }
  })
  checks.pass('eventlog-pcr-differs', bytes, `${quoted.bank}: ${summaryOf(pcrs)}`)
  return pcrs
}

/** A bank that the firmware left alone still holds what PCRs 0 to 7 begin with (verification L7). */
function isExtendedByFirmware({ values }: QuotedBank): boolean {
  const owned = [...values].filter(([pcr]) => pcr <= 7)
  return owned.length === 0 || owned.some(([pcr, value]) => !isInitial(pcr, value))
}

function isInitial(pcr: number, value: Uint8Array): boolean {
  return [0, 3, 4].some(locality => isEqual(value, initialPcr(value.length, pcr, locality)))
}

function summaryOf(pcrs: readonly PcrExplanation[]): string {
  const groups = Map.groupBy(pcrs, ({ by }) => by)
  return [...groups].map(([by, rows]) => `${rows.map(({ pcr }) => pcr).join()} by ${by}`).join('; ')
}

function strongestOf(quoted: readonly QuotedBank[]): HashAlgorithm {
  const names = quoted.map(({ bank }) => bank)
  const row = hashAlgorithms.findLast(({ name }) => names.includes(name))
  if (row === undefined) throw new TypeError('a quote is of one bank at least')
  return row
}
