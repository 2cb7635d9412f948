import type { HashAlgorithm } from '../tpm/algorithm.ts'
import type { ImaCursor } from './cursor.ts'
import type { Sliced } from '../slices.ts'
import { entriesPerSlice, type ImaList } from './list.ts'
import { ImaReplay, type TemplateHash } from './replay.ts'

/** A point in a list, and the values that PCRs had reached before. */
export interface Checkpoint {
  /** Entries before it, counted from the beginning of this list. */
  readonly count: number
  readonly values: ReadonlyMap<number, Uint8Array>
}

/** What is looked for. */
export interface PrefixQuery {
  readonly bank: HashAlgorithm
  readonly templateHash: TemplateHash
  /** The PCR that the list is bound by: its value ends the prefix. */
  readonly primary: number
  /** Where each PCR may begin. */
  readonly start: ReadonlyMap<number, readonly Uint8Array[]>
  /** What the TPM signed, by PCR. */
  readonly target: ReadonlyMap<number, Uint8Array>
  /** A point that the list must pass through. */
  readonly through: Checkpoint | undefined
}

/** The beginning of a list that leads to quoted values. */
export interface Prefix {
  readonly count: number
  readonly byteLength: number
  readonly violations: number
  /** PCRs that reached their quoted values with it, and these values. */
  readonly reached: ReadonlyMap<number, Uint8Array>
}

/**
 * The beginning of a list that leads to the quoted value of the primary PCR; other PCRs that the list extends belong to
 * it if they reach theirs before the next entry of the primary one.
 *
 * @returns undefined where no beginning does; `'changed'` where the list does not pass through its checkpoint
 * @see verification I4
 */
export function* findPrefix(
  list: ImaList,
  query: PrefixQuery,
): Sliced<Prefix | 'changed' | undefined> {
  const search = new PrefixSearch(query)
  const cursor = list.cursor()
  for (let count = 1; !search.isOver(cursor.offset) && cursor.next(); count += 1) {
    search.take(list.bytes, cursor)
    if (count % entriesPerSlice === 0) yield
  }
  return search.result()
}

class PrefixSearch {
  readonly #query: PrefixQuery
  readonly #replay: ImaReplay
  #count = 0
  #violations = 0
  #hasPassed: boolean
  #found: Prefix | undefined

  constructor(query: PrefixQuery) {
    this.#query = query
    this.#replay = new ImaReplay(query.bank, query.templateHash, query.start)
    this.#hasPassed = query.through === undefined
  }

  take(bytes: Uint8Array, cursor: ImaCursor): void {
    this.#replay.extend(bytes, cursor)
    this.#count += 1
    if (cursor.isViolation) this.#violations += 1
    const { through } = this.#query
    if (through !== undefined && this.#count === through.count)
      this.#hasPassed = this.#isAt(through)
  }

  /** Looks where the search stands; the rest of the list is not read once the longest prefix is known. */
  isOver(byteLength: number): boolean {
    const { primary, target } = this.#query
    const quoted = target.get(primary)
    if (quoted === undefined || !this.#replay.hasReached(primary, quoted))
      return this.#found !== undefined
    const reached = new Map(
      [...target].filter(([pcr, value]) => this.#replay.hasReached(pcr, value)),
    )
    if (this.#found === undefined || reached.size > this.#found.reached.size) {
      const [count, violations] = [this.#count, this.#violations]
      this.#found = { count, byteLength, violations, reached }
    }
    return reached.size === target.size
  }

  result(): Prefix | 'changed' | undefined {
    return this.#hasPassed ? this.#found : 'changed'
  }

  #isAt({ values }: Checkpoint): boolean {
    return [...values].every(([pcr, value]) => this.#replay.hasReached(pcr, value))
  }
}
