import { DerError } from './error.ts'

/** One value: its identifier octet, its whole encoding, and what is inside; both are views of the input. */
export interface DerElement {
  readonly tag: number
  readonly encoded: Uint8Array
  readonly contents: Uint8Array
}

/** Deeper than any structure of X.509, CMS or OCSP as they occur. */
const depthLimit = 24

/**
 * Reads DER off bytes from outside, one value after the other and never past their end. Strict: identifiers of one
 * octet, definite lengths in their shortest form. What the contents mean is for the caller, who ends with `finish`.
 *
 * Each method throws DerError: `der-short`, `der-length`, `der-tag`, `der-depth`, `der-trailing`.
 *
 * @see X.690 §8.1, §10.1
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #depth: number
  #offset: number
  #contents = 0

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, depth = 0) {
    if (depth > depthLimit) throw new DerError('der-depth', { expected: `${depthLimit} levels` })
    this.#bytes = bytes
    this.#offset = start
    this.#end = end
    this.#depth = depth
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#end
  }

  /** Whether the next value has this identifier octet; false at the end. */
  isNext(tag: number): boolean {
    return this.#offset < this.#end && this.#bytes[this.#offset] === tag
  }

  /** The next value, whatever it is. */
  element(): DerElement {
    const tag = this.#bytes[this.#offset] ?? 0
    const start = this.#offset
    const end = this.#header()
    this.#offset = end
    return {
      tag,
      encoded: this.#bytes.subarray(start, end),
      contents: this.#bytes.subarray(this.#contents, end),
    }
  }

  /** The contents of the next value, which must have this identifier octet. */
  contents(tag: number): Uint8Array {
    this.#require(tag)
    const end = this.#header()
    this.#offset = end
    return this.#bytes.subarray(this.#contents, end)
  }

  /** The whole encoding of the next value, which must have this identifier octet. Its inside is not looked at. */
  encoded(tag: number): Uint8Array {
    this.#require(tag)
    const start = this.#offset
    this.#offset = this.#header()
    return this.#bytes.subarray(start, this.#offset)
  }

  /** A reader of what is inside the next value, which must have this identifier octet. */
  enter(tag: number): DerReader {
    this.#require(tag)
    const end = this.#header()
    this.#offset = end
    return new DerReader(this.#bytes, this.#contents, end, this.#depth + 1)
  }

  /** What `read` gives for the inside of the next value, all of which it must read. */
  within<T>(tag: number, read: (inside: DerReader) => T): T {
    const inside = this.enter(tag)
    const value = read(inside)
    inside.finish()
    return value
  }

  /** As {@link within} where the next value has the identifier octet, otherwise undefined. */
  optional<T>(tag: number, read: (inside: DerReader) => T): T | undefined {
    return this.isNext(tag) ? this.within(tag, read) : undefined
  }

  /** What `read` gives for each value up to the end. Throws `der-value` beyond `limit` of them. */
  each<T>(limit: number, read: (reader: this) => T): T[] {
    const values: T[] = []
    while (!this.isAtEnd) {
      if (values.length === limit) {
        throw new DerError('der-value', { expected: `at most ${limit} values`, found: 'more' })
      }
      values.push(read(this))
    }
    return values
  }

  /** A reader of one encoding that was taken whole from this one, at the same depth. */
  again(encoded: Uint8Array): DerReader {
    return new DerReader(encoded, 0, encoded.length, this.#depth)
  }

  /** Nothing may be left. Throws DerError `der-trailing`. */
  finish(): void {
    if (this.#offset !== this.#end) {
      throw new DerError('der-trailing', { found: `${this.#end - this.#offset} bytes` })
    }
  }

  #require(tag: number): void {
    if (this.isNext(tag)) return
    if (this.isAtEnd) throw new DerError('der-short', { expected: `tag ${hex(tag)}` })
    const found = hex(this.#bytes[this.#offset] ?? 0)
    throw new DerError('der-tag', { expected: `tag ${hex(tag)}`, found: `tag ${found}` })
  }

  /** Reads identifier and length; leaves the start of the contents in `#contents` and gives their end. */
  #header(): number {
    const tag = this.#octet(this.#offset)
    if ((tag & 0x1f) === 0x1f)
      throw new DerError('der-tag', { found: 'an identifier of many octets' })
    const first = this.#octet(this.#offset + 1)
    this.#contents = this.#offset + 2
    const length = first < 0x80 ? first : this.#longLength(first & 0x7f)
    const end = this.#contents + length
    if (end > this.#end) {
      const found = `${this.#end - this.#contents}`
      throw new DerError('der-short', { expected: `${length} bytes`, found })
    }
    return end
  }

  /** Lengths of up to three octets; whatever is longer than 16 MiB is refused, present or not. */
  #longLength(octets: number): number {
    if (octets === 0) throw new DerError('der-length', { found: 'an indefinite length' })
    if (octets > 3) throw new DerError('der-length', { found: `a length of ${octets} octets` })
    let length = 0
    for (let index = 0; index < octets; index += 1) {
      length = length * 256 + this.#octet(this.#contents + index)
    }
    if (length < (octets === 1 ? 0x80 : 256 ** (octets - 1))) {
      throw new DerError('der-length', { found: `${length} in ${octets} octets` })
    }
    this.#contents += octets
    return length
  }

  #octet(offset: number): number {
    const octet = offset < this.#end ? this.#bytes[offset] : undefined
    if (octet === undefined) throw new DerError('der-short')
    return octet
  }
}

/** Reads all of `bytes`, which are one value with this identifier octet, with one function. Throws DerError. */
export function parseDer<T>(bytes: Uint8Array, tag: number, read: (inside: DerReader) => T): T {
  const reader = new DerReader(bytes)
  const value = reader.within(tag, read)
  reader.finish()
  return value
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`
}
