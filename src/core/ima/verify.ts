import type { QuotedBank } from '../eventlog/quote.ts'
import { hashAlgorithms, type HashAlgorithm } from '../tpm/algorithm.ts'
import { runAtOnce, type Sliced } from '../slices.ts'
import { CheckRecorder, type Check } from '../verifier/check.ts'
import { verifyBootAggregates, type AggregateStanding } from './aggregate-check.ts'
import type { ImaEntry } from './entry.ts'
import type { ImaList } from './list.ts'
import { findPrefix, type Checkpoint, type Prefix } from './prefix.ts'
import type { TemplateHash } from './replay.ts'
import type { ImaState } from './state.ts'

/** What a list is held against. */
export interface ImaExpectations {
  /** From a verified quote. */
  readonly quoted: readonly QuotedBank[]
  /** Of the same quote. */
  readonly resetCount: number
  /** How the host's kernel extends; `bank` by default, which is right from Linux 5.8 on. */
  readonly templateHash?: TemplateHash
  /** The PCR of the IMA policy, 10 by default. */
  readonly pcr?: number
  /** What other PCRs of the list can have held before it: `VerifiedEventLog.startValues`. */
  readonly start?: ReadonlyMap<number, readonly Uint8Array[]>
  /** What was verified before; of another boot it has no say. */
  readonly state?: ImaState
  /** Whether the list goes on where `state` ended, rather than beginning with the boot. */
  readonly continues?: boolean
}

const seal = Symbol('verified ima list')

interface Parts {
  readonly list: ImaList
  readonly start: ReadonlyMap<number, readonly Uint8Array[]>
  readonly prefix: Prefix
  readonly state: ImaState
  readonly aggregate: AggregateStanding
  readonly checks: readonly Check[]
}

/** A list whose beginning leads to the quoted PCR values. What follows after that beginning is unproven. */
export class VerifiedImaList {
  readonly #parts: Parts

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifyImaList alone')
    this.#parts = parts
  }

  /** Entries of this list that are proven, and those after them that are not yet. */
  get count(): { readonly proven: number; readonly unproven: number } {
    const { list, prefix } = this.#parts
    return { proven: prefix.count, unproven: list.count - prefix.count }
  }

  /** PCRs of the list whose values were reached. */
  get pcrs(): readonly number[] {
    return [...this.#parts.prefix.reached.keys()]
  }

  /** Bank that it was verified in. */
  get bank(): HashAlgorithm['name'] {
    return this.#parts.state.bank
  }

  /** What a PCR was taken to have held before the first list of the boot. */
  readonly start = (pcr: number): readonly Uint8Array[] => this.#parts.start.get(pcr) ?? []

  /** Whether the aggregate at the beginning was found to be that of the quoted boot, or its PCRs were not quoted. */
  get bootAggregate(): AggregateStanding {
    return this.#parts.aggregate
  }

  /** Where the next round goes on. To be kept, by `encodeImaState`. */
  get state(): ImaState {
    return this.#parts.state
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }

  /** The proven entries, in their order: those of the beginning whose PCR has reached its value. */
  *entries(): Generator<ImaEntry> {
    const { list, prefix } = this.#parts
    for (const entry of list.entries()) {
      if (entry.index >= prefix.count) return
      if (prefix.reached.has(entry.pcr)) yield entry
    }
  }
}

/**
 * Holds a list against the PCRs of a verified quote. The list may be ahead of the quote: the beginning that leads to
 * the quoted values counts, and nothing after it.
 *
 * @throws EvidenceError `ima-pcr-unquoted`, `ima-pcr-differs`, `ima-prefix-changed`, `ima-template-hash`,
 *   `ima-boot-aggregate`
 * @see Linux Documentation/ABI/testing/ima_policy; verification I2 to I5, I8
 */
export function verifyImaList(list: ImaList, expected: ImaExpectations): VerifiedImaList {
  return runAtOnce(verifyImaListInSlices(list, expected))
}

/** As {@link verifyImaList}, with breaks. */
export function* verifyImaListInSlices(
  list: ImaList,
  expected: ImaExpectations,
): Sliced<VerifiedImaList> {
  const checks = new CheckRecorder()
  const pcr = expected.pcr ?? 10
  const quoted = requireQuoted(checks, expected.quoted, pcr)
  const before = requireState(checks, expected, quoted.bank)
  const start = startOf(expected, pcr, quoted)
  const prefix = yield* requirePrefix(checks, list, { ...expected, pcr, start }, quoted, before)
  const aggregate = verifyBootAggregates(checks, list, prefix, expected.quoted, before)
  const state = stateAfter(prefix, expected, quoted, before, aggregate)
  return new VerifiedImaList(seal, {
    list,
    start,
    prefix,
    state,
    aggregate: aggregate.standing,
    checks: checks.list,
  })
}

interface Quoted {
  readonly bank: HashAlgorithm
  readonly values: ReadonlyMap<number, Uint8Array>
}

/** The strongest bank that covers the PCR. */
function requireQuoted(checks: CheckRecorder, banks: readonly QuotedBank[], pcr: number): Quoted {
  const covering = banks.filter(({ values }) => values.has(pcr))
  const bank = hashAlgorithms.findLast(({ name }) => covering.some(row => row.bank === name))
  const values = covering.find(row => row.bank === bank?.name)?.values
  if (bank === undefined || values === undefined)
    checks.refuse('ima-pcr-unquoted', { expected: `PCR ${pcr}` })
  checks.pass('ima-pcr-unquoted', undefined, `PCR ${pcr} of ${bank.name}`)
  return { bank, values }
}

/** A state of this very boot; one of another is left aside, and with it what it knew. */
function requireState(
  checks: CheckRecorder,
  { state, resetCount, templateHash = 'bank', continues }: ImaExpectations,
  bank: HashAlgorithm,
): ImaState | undefined {
  const isOfBoot = state?.resetCount === resetCount && state.bank === bank.name
  if (!isOfBoot) {
    if (continues === true)
      checks.refuse('ima-prefix-changed', { found: 'a list that continues one of another boot' })
    return undefined
  }
  const facts = { expected: state.templateHash, found: templateHash }
  checks.require(state.templateHash === templateHash, 'ima-template-hash', facts)
  return state
}

function* requirePrefix(
  checks: CheckRecorder,
  list: ImaList,
  expected: ImaExpectations & Required<Pick<ImaExpectations, 'pcr' | 'start'>>,
  quoted: Quoted,
  before: ImaState | undefined,
): Sliced<Prefix> {
  const { pcr: primary, start, templateHash = 'bank', continues } = expected
  const { bytes } = list
  const from = continues === true ? continuedStart(start, before) : start
  const pcrs = [...from.keys()].filter(pcr => pcr === primary || list.pcrs.has(pcr))
  const target = new Map([...quoted.values].filter(([pcr]) => pcrs.includes(pcr)))
  const through = continues === true || before === undefined ? undefined : checkpointOf(before)
  const query = { bank: quoted.bank, templateHash, primary, start: from, target, through }
  const prefix = yield* findPrefix(list, query)
  if (prefix === 'changed') checks.refuse('ima-prefix-changed', { bytes })
  if (through !== undefined) checks.pass('ima-prefix-changed', bytes)
  if (prefix === undefined || (prefix.count === 0 && continues !== true))
    checks.refuse('ima-pcr-differs', { found: `PCR ${primary} of ${quoted.bank.name}`, bytes })
  const found = `${prefix.count} of ${list.count} entries, ${templateHash}`
  checks.pass('ima-pcr-differs', bytes, found)
  return prefix
}

/** Where each PCR began in this boot: the primary at zeros, others where the firmware and those after it left them. */
function startOf(
  { start }: ImaExpectations,
  pcr: number,
  { bank }: Quoted,
): ReadonlyMap<number, readonly Uint8Array[]> {
  const values = new Map<number, readonly Uint8Array[]>()
  for (const [number, given] of start ?? [])
    values.set(
      number,
      given.filter(({ length }) => length === bank.size),
    )
  return values.set(pcr, [new Uint8Array(bank.size)])
}

/** Where a list that goes on begins: where the last round ended, a PCR that was not reached then where it began. */
function continuedStart(
  start: ReadonlyMap<number, readonly Uint8Array[]>,
  before: ImaState | undefined,
): ReadonlyMap<number, readonly Uint8Array[]> {
  const values = new Map(start)
  if (before !== undefined)
    for (const [pcr, value] of checkpointOf(before).values) values.set(pcr, [value])
  return values
}

function checkpointOf({ count, values }: ImaState): Checkpoint {
  const entries = Object.entries(values)
  return {
    count,
    values: new Map(entries.map(([pcr, value]) => [Number(pcr), Buffer.from(value, 'hex')])),
  }
}

function stateAfter(
  prefix: Prefix,
  { templateHash = 'bank', resetCount, continues }: ImaExpectations,
  { bank }: Quoted,
  before: ImaState | undefined,
  aggregate: { readonly standing: AggregateStanding; readonly text: string },
): ImaState {
  const base = continues === true ? before : undefined
  const reached = [...prefix.reached].map(([pcr, value]) => [
    String(pcr),
    Buffer.from(value).toString('hex'),
  ])
  return {
    resetCount,
    bank: bank.name,
    templateHash,
    count: (base?.count ?? 0) + prefix.count,
    byteLength: (base?.byteLength ?? 0) + prefix.byteLength,
    values: { ...base?.values, ...Object.fromEntries(reached) },
    violations: (base?.violations ?? 0) + prefix.violations,
    bootAggregate: aggregate.text,
    isBootVerified: aggregate.standing === 'verified',
  }
}
