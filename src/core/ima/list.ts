import { runAtOnce, type Sliced } from '../slices.ts'
import { ImaCursor, defaultDigestSize } from './cursor.ts'
import { isBootAggregateName } from './boot-aggregate.ts'
import { entryName, parseEntryContent, type EntryContent, type ImaEntry } from './entry.ts'
import { ImaError } from './error.ts'

/** What may be read, and how much. */
export interface ImaListOptions {
  /**
   * What becomes of an entry that is cut off at the end, as when the list grew while it was read: refused, or left out
   * and its bytes counted. Only what a quote covers is believed either way. By default it is refused.
   */
  readonly incompleteTail?: 'refuse' | 'leave'
  /** Bytes of the template digests in the list: 20, or those of the bank in lists that kernels give for one bank. */
  readonly digestSize?: 20 | 32 | 48 | 64
  /** Whether the list may be empty, as one that continues another can be. By default it may not. */
  readonly allowEmpty?: boolean
  readonly maxBytes?: number
  readonly maxEntries?: number
}

const defaultMaxBytes = 256 * 1024 * 1024
const defaultMaxEntries = 2_000_000
/** Entries between two points where the work may be interrupted: a few milliseconds. */
export const entriesPerSlice = 1024
/** One for each kernel that ran in this boot. */
const maxAggregates = 64

const seal = Symbol('ima list')

interface Extent {
  readonly count: number
  readonly byteLength: number
  readonly tailBytes: number
  readonly digestSize: number
  readonly pcrs: ReadonlySet<number>
  readonly aggregates: readonly ImaEntry[]
}

/**
 * A list whose every entry was read once and found well-formed. It keeps the bytes, not the entries. Untrusted until it
 * was verified against a quote. The bytes are the caller's and must not change.
 */
export class ImaList {
  readonly #bytes: Uint8Array
  readonly #extent: Extent

  constructor(key: typeof seal, bytes: Uint8Array, extent: Extent) {
    if (key !== seal) throw new TypeError('made by parseImaList alone')
    this.#bytes = bytes
    this.#extent = extent
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Complete entries. */
  get count(): number {
    return this.#extent.count
  }

  /** Bytes of the complete entries. */
  get byteLength(): number {
    return this.#extent.byteLength
  }

  /** Bytes of an entry that was cut off. */
  get tailBytes(): number {
    return this.#extent.tailBytes
  }

  /** PCRs that entries were extended into. */
  get pcrs(): ReadonlySet<number> {
    return this.#extent.pcrs
  }

  /** The entries that tie the list to the boot before it, in their order. */
  get aggregates(): readonly ImaEntry[] {
    return this.#extent.aggregates
  }

  /** A cursor before the first entry. */
  cursor(): ImaCursor {
    return new ImaCursor(this.#bytes.subarray(0, this.byteLength), 0, this.#extent.digestSize)
  }

  /** The entries in their order, each read anew. */
  *entries(): Generator<ImaEntry> {
    const cursor = this.cursor()
    for (let index = 0; cursor.next(); index += 1) yield entryAt(this.#bytes, cursor, index)
  }
}

/**
 * Reads a whole binary list of measurements. Total: any bytes give a list or an error of the table, in time that grows
 * with their number alone.
 *
 * @throws ImaError any code of its table but `ima-state`
 * @see Linux Documentation/security/IMA-templates.rst; verification I1, I3, I6
 */
export function parseImaList(bytes: Uint8Array, options?: ImaListOptions): ImaList {
  return runAtOnce(parseImaListInSlices(bytes, options))
}

/** As {@link parseImaList}, with breaks. */
export function* parseImaListInSlices(
  bytes: Uint8Array,
  options: ImaListOptions = {},
): Sliced<ImaList> {
  const { maxBytes = defaultMaxBytes, incompleteTail = 'refuse' } = options
  const isEmpty = bytes.length === 0 && options.allowEmpty !== true
  if (isEmpty || bytes.length > maxBytes)
    throw new ImaError('ima-size', { found: `${bytes.length} bytes` })
  const extent = yield* readExtent(bytes, options)
  if (extent.tailBytes > 0 && incompleteTail === 'refuse') {
    const found = `${extent.tailBytes} bytes after ${extent.count} entries`
    throw new ImaError('ima-truncated', { found })
  }
  return new ImaList(seal, bytes, extent)
}

function* readExtent(bytes: Uint8Array, options: ImaListOptions): Sliced<Extent> {
  const { maxEntries = defaultMaxEntries, digestSize = defaultDigestSize } = options
  const cursor = new ImaCursor(bytes, 0, digestSize)
  const pcrs = new Set<number>()
  const aggregates: ImaEntry[] = []
  let count = 0
  for (; cursor.next(); count += 1) {
    if (count % entriesPerSlice === entriesPerSlice - 1) yield
    if (count === maxEntries) throw new ImaError('ima-size', { found: `over ${count} entries` })
    pcrs.add(cursor.pcr)
    const content = requireContent(bytes, cursor)
    if (isBootAggregateName(content.nameBytes)) aggregates.push(entryAt(bytes, cursor, count))
  }
  if (aggregates.length > maxAggregates)
    throw new ImaError('ima-size', { found: `${aggregates.length} aggregates` })
  const tailBytes = bytes.length - cursor.offset
  return { count, byteLength: cursor.offset, tailBytes, digestSize, pcrs, aggregates }
}

function requireContent(bytes: Uint8Array, cursor: ImaCursor): EntryContent {
  const content = contentAt(bytes, cursor)
  if (cursor.isViolation && content.digest.value.some(byte => byte !== 0))
    throw new ImaError('ima-violation', { found: `before byte ${cursor.offset}` })
  return content
}

function contentAt(bytes: Uint8Array, cursor: ImaCursor): EntryContent {
  const { template, dataStart, dataEnd } = cursor
  return parseEntryContent(template, bytes.subarray(dataStart, dataEnd))
}

/** The entry that a cursor stands on. */
export function entryAt(bytes: Uint8Array, cursor: ImaCursor, index: number): ImaEntry {
  const { pcr, isViolation, template } = cursor
  const { digest, signature, buffer, nameBytes } = contentAt(bytes, cursor)
  const name = entryName(nameBytes)
  return {
    index,
    pcr,
    isViolation,
    template: template.name,
    digest,
    name,
    signature,
    buffer,
  }
}
