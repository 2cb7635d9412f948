import { FormatError, hex } from '../bytes/format-error.ts'
import { hashAlgorithm, TPM_ALG } from '../tpm/algorithm.ts'
import { LittleEndianReader } from '../uefi/little-endian-reader.ts'
import type { LogBank } from './bank.ts'
import { EventLogError } from './error.ts'
import { EVENT_TYPE } from './event-type.ts'
import { readAgileRecord, readLegacyRecord, type EventRecord } from './record.ts'
import { isSpecIdEvent, parseSpecIdEvent } from './spec-id.ts'
import { StartupWatch, type Startup } from './startup.ts'
import { isTrustPoint, requireTrustPoint } from './trust-point.ts'

/** `tcg2` is the crypto-agile format, `legacy` that of TPM 1.2, `ccel` that of confidential VMs. */
export type EventLogFormat = 'tcg2' | 'legacy' | 'ccel'

/** What may be read, and how much. */
export interface EventLogOptions {
  /** Whether SHA-1 logs in the format of TPM 1.2 may be read at all; by default they are refused. */
  readonly allowLegacy?: boolean
  /** Whether the bytes are a CCEL: registers 0 to 4 instead of PCRs, padding at the end. By default they are not. */
  readonly isCcel?: boolean
  readonly maxBytes?: number
  readonly maxEvents?: number
}

const defaultMaxBytes = 8 * 1024 * 1024
const defaultMaxEvents = 65_536
const lastPcr = 23
const lastCcelRegister = 4

const legacyBanks: ReadonlyMap<number, LogBank> = new Map([
  [TPM_ALG.SHA1, { id: TPM_ALG.SHA1, size: 20, hash: hashAlgorithm(TPM_ALG.SHA1) }],
])

const seal = Symbol('event log')

interface Layout {
  readonly format: EventLogFormat
  readonly banks: ReadonlyMap<number, LogBank>
  /** Where the first event begins that is not the header, and its index. */
  readonly start: number
  readonly firstIndex: number
}

/**
 * A log whose every record was read once and found well-formed. It keeps the bytes, not the records: reading it again
 * costs no memory. What it says is untrusted until it was replayed against a quote. The bytes are the caller's and must
 * not change.
 */
export class EventLog {
  readonly #bytes: Uint8Array
  readonly #layout: Layout
  readonly #summary: { readonly count: number; readonly startup: Startup }

  constructor(key: typeof seal, bytes: Uint8Array, layout: Layout, summary: Summary) {
    if (key !== seal) throw new TypeError('made by parseEventLog alone')
    this.#bytes = bytes
    this.#layout = layout
    this.#summary = summary
  }

  get format(): EventLogFormat {
    return this.#layout.format
  }

  /** Banks in the order of the header. */
  get banks(): readonly LogBank[] {
    return [...this.#layout.banks.values()]
  }

  /** Events without the header. */
  get count(): number {
    return this.#summary.count
  }

  get startup(): Startup {
    return this.#summary.startup
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The events in their order, each read anew; the header is not among them. */
  events(): Generator<EventRecord> {
    return readEvents(this.#bytes, this.#layout)
  }
}

interface Summary {
  readonly count: number
  readonly startup: Startup
}

/**
 * Reads a whole event log. Total: any bytes give a log or an error of the table, in time that grows with their number
 * alone.
 *
 * @throws EventLogError any code of its table
 * @see TCG PC Client Platform Firmware Profile r1.05 §10; verification L2 to L5, L11, L12
 */
export function parseEventLog(bytes: Uint8Array, options: EventLogOptions = {}): EventLog {
  const { maxBytes = defaultMaxBytes, maxEvents = defaultMaxEvents } = options
  if (bytes.length === 0 || bytes.length > maxBytes)
    throw new EventLogError('eventlog-size', { found: `${bytes.length} bytes` })
  try {
    const layout = readLayout(bytes, options)
    return new EventLog(seal, bytes, layout, summarize(bytes, layout, maxEvents))
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new EventLogError('eventlog-malformed', { cause, found: cause.message })
  }
}

function readLayout(bytes: Uint8Array, options: EventLogOptions): Layout {
  const isCcel = options.isCcel === true
  const reader = new LittleEndianReader(bytes)
  const { pcr, type, digests, data } = readLegacyRecord(reader)
  if (!isSpecIdEvent(data)) return legacyLayout(isCcel, options.allowLegacy === true)
  const isZero = [...digests.values()].every(isAllZero)
  if (type !== EVENT_TYPE.NO_ACTION || pcr !== (isCcel ? 1 : 0) || !isZero) {
    const found = `type ${hex(type)} in PCR ${pcr}`
    throw new EventLogError('eventlog-header', { expected: 'EV_NO_ACTION without digest', found })
  }
  const banks = new Map(parseSpecIdEvent(data).map(bank => [bank.id, bank]))
  return { format: isCcel ? 'ccel' : 'tcg2', banks, start: reader.offset, firstIndex: 1 }
}

function legacyLayout(isCcel: boolean, isAllowed: boolean): Layout {
  if (isCcel) throw new EventLogError('eventlog-header', { expected: 'Spec ID Event03' })
  if (!isAllowed) throw new EventLogError('eventlog-legacy')
  return { format: 'legacy', banks: legacyBanks, start: 0, firstIndex: 0 }
}

function* readEvents(bytes: Uint8Array, layout: Layout): Generator<EventRecord> {
  const { format, banks, start, firstIndex } = layout
  const reader = new LittleEndianReader(bytes, start)
  for (let index = firstIndex; reader.remaining > 0; index += 1) {
    if (isPadding(bytes, reader.offset)) {
      if (format === 'ccel') return
      throw new EventLogError('eventlog-padding', { found: `${reader.remaining} bytes` })
    }
    const record = format === 'legacy' ? readLegacyRecord(reader) : readAgileRecord(reader, banks)
    yield { index, ...record }
  }
}

/** Padding begins as no event can, with PCR and type all ones; then nothing but padding may follow. */
function isPadding(bytes: Uint8Array, offset: number): boolean {
  if (bytes[offset] !== 0xff) return false
  const begins = bytes.subarray(offset, offset + 8).every(byte => byte === 0xff)
  return begins && bytes.subarray(offset).every(byte => byte === 0xff)
}

function summarize(bytes: Uint8Array, layout: Layout, maxEvents: number): Summary {
  const startup = new StartupWatch()
  let count = 0
  for (const event of readEvents(bytes, layout)) {
    count += 1
    if (count > maxEvents)
      throw new EventLogError('eventlog-size', { found: `more than ${maxEvents} events` })
    if (isTrustPoint(event)) requireTrustPoint(event)
    else requireWellFormed(event, layout.format, startup)
  }
  return { count, startup: startup.result() }
}

function requireWellFormed(event: EventRecord, format: EventLogFormat, watch: StartupWatch): void {
  const last = format === 'ccel' ? lastCcelRegister : lastPcr
  if (event.pcr > last) {
    const found = `${hex(event.pcr)} in event ${event.index}`
    throw new EventLogError('eventlog-pcr-index', { expected: `0 to ${last}`, found })
  }
  if (event.type === EVENT_TYPE.NO_ACTION && ![...event.digests.values()].every(isAllZero))
    throw new EventLogError('eventlog-no-action', { found: `event ${event.index}` })
  watch.see(event)
}

function isAllZero(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0)
}
