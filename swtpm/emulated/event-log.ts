import { createHash } from 'node:crypto'
import { EVENT_TYPE } from '../../src/core/eventlog/event-type.ts'
import type { QuotedBank } from '../../src/core/eventlog/quote.ts'

/** The name of a bank. */
export type BankName = QuotedBank['bank']

/** An event to be logged. Its digests are of its data, of `measured` where that is given, or as `digests` says. */
export interface MadeEvent {
  readonly pcr: number
  readonly type: number
  readonly data: Uint8Array
  readonly measured?: Uint8Array
  /** By TPM_ALG_ID, in this order, instead of those of the banks. */
  readonly digests?: readonly (readonly [number, Uint8Array])[]
}

/** Identifiers and sizes of the banks that logs are made with. */
export const bankIds: Readonly<Record<BankName, number>> = {
  sha1: 0x4,
  sha256: 0xb,
  sha384: 0xc,
  sha512: 0xd,
}

const sizes: Readonly<Record<number, number>> = { 4: 20, 11: 32, 12: 48, 13: 64 }

/** UINT16, little-endian. */
export function u16le(value: number): Uint8Array {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

/** UINT32, little-endian. */
export function u32le(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** UINT64, little-endian. */
export function u64le(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

/** A digest as the tests compute it. */
export function digestOf(bank: BankName, bytes: Uint8Array): Uint8Array {
  return createHash(bank).update(bytes).digest()
}

/** The data of a Specification ID Version event. */
export function specIdData(
  algorithms: readonly (readonly [id: number, size: number])[],
  change: { version?: readonly [number, number]; vendorInfo?: Uint8Array; count?: number } = {},
): Uint8Array {
  const [major, minor] = change.version ?? [2, 0]
  const vendorInfo = change.vendorInfo ?? new Uint8Array(0)
  return Buffer.concat([
    Buffer.from('Spec ID Event03\0'),
    u32le(0),
    Uint8Array.of(minor, major, 2, 2),
    u32le(change.count ?? algorithms.length),
    ...algorithms.flatMap(([id, size]) => [u16le(id), u16le(size)]),
    Uint8Array.of(vendorInfo.length),
    vendorInfo,
  ])
}

/** TCG_PCR_EVENT. */
export function legacyRecord(event: {
  readonly pcr: number
  readonly type: number
  readonly digest?: Uint8Array
  readonly data: Uint8Array
}): Uint8Array {
  const digest = event.digest ?? digestOf('sha1', event.data)
  return Buffer.concat([
    u32le(event.pcr),
    u32le(event.type),
    digest,
    u32le(event.data.length),
    event.data,
  ])
}

/** The header of a crypto-agile log, with anything in it changed. */
export function headerRecord(
  data: Uint8Array,
  change: { pcr?: number; type?: number; digest?: Uint8Array } = {},
): Uint8Array {
  const { pcr = 0, type = EVENT_TYPE.NO_ACTION, digest = new Uint8Array(20) } = change
  return legacyRecord({ pcr, type, digest, data })
}

/** TCG_PCR_EVENT2. */
export function agileRecord(event: MadeEvent, banks: readonly BankName[]): Uint8Array {
  const digests =
    event.digests ?? banks.map(bank => [bankIds[bank], digestFor(event, bank)] as const)
  return Buffer.concat([
    u32le(event.pcr),
    u32le(event.type),
    u32le(digests.length),
    ...digests.flatMap(([id, digest]) => [u16le(id), digest]),
    u32le(event.data.length),
    event.data,
  ])
}

function digestFor({ type, data, measured }: MadeEvent, bank: BankName): Uint8Array {
  if (type === EVENT_TYPE.NO_ACTION) return new Uint8Array(sizes[bankIds[bank]] ?? 0)
  return digestOf(bank, measured ?? data)
}

/** A crypto-agile log of these events. */
export function makeEventLog(
  events: readonly MadeEvent[],
  banks: readonly BankName[] = ['sha256'],
): Uint8Array {
  const algorithms = banks.map(bank => [bankIds[bank], sizes[bankIds[bank]] ?? 0] as const)
  const header = headerRecord(specIdData(algorithms))
  return Buffer.concat([header, ...events.map(event => agileRecord(event, banks))])
}

/** What a TPM's PCRs hold after these events, for a quote of the given PCRs. Not the code under test. */
export function quoteOf(
  events: readonly MadeEvent[],
  pcrs: readonly number[],
  { bank = 'sha256', locality = 0 }: { bank?: BankName; locality?: number } = {},
): QuotedBank {
  const size = sizes[bankIds[bank]] ?? 0
  const values = new Map(
    pcrs.map(pcr => {
      const initial = Buffer.alloc(size, pcr >= 17 && pcr <= 22 ? 0xff : 0)
      if (pcr === 0) initial[size - 1] = locality
      const own = events.filter(event => event.pcr === pcr && event.type !== EVENT_TYPE.NO_ACTION)
      const value = own.reduce<Uint8Array>(
        (before, event) => digestOf(bank, Buffer.concat([before, eventDigest(event, bank)])),
        initial,
      )
      return [pcr, value] as const
    }),
  )
  return { bank, values }
}

/** What an event extends its PCR by. */
export function eventDigest(event: MadeEvent, bank: BankName): Uint8Array {
  const given = event.digests?.find(([id]) => id === bankIds[bank])?.[1]
  return given ?? digestFor(event, bank)
}

/** A quote with one value replaced, or extended further by digests of the given texts. */
export function requote(
  quote: QuotedBank,
  pcr: number,
  change: Uint8Array | readonly string[],
): QuotedBank {
  const before = quote.values.get(pcr) ?? new Uint8Array(0)
  const value =
    change instanceof Uint8Array
      ? change
      : change.reduce<Uint8Array>(
          (held, word) =>
            digestOf(quote.bank, Buffer.concat([held, digestOf(quote.bank, Buffer.from(word))])),
          before,
        )
  return { ...quote, values: new Map([...quote.values, [pcr, value]]) }
}
