import { FormatError } from './format-error.ts'

/** Reads big-endian members off bytes from outside; never past their end, and never leaving any unread. */
export class Reader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  get offset(): number {
    return this.#offset
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8))
  }

  /** The next `length` bytes, a view of the input. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A TPM2B: 16-bit size, then as many bytes, at most `limit`. */
  sized(limit = 0xffff): Uint8Array {
    const length = this.u16()
    if (length > limit)
      throw new FormatError('structure-value', {
        expected: `a size of at most ${limit}`,
        found: String(length),
      })
    return this.bytes(length)
  }

  /** Nothing may be left. Throws FormatError `structure-trailing`. */
  finish(): void {
    if (this.remaining > 0)
      throw new FormatError('structure-trailing', { found: `${this.remaining} bytes` })
  }

  #take(length: number): number {
    if (length > this.remaining) {
      throw new FormatError('structure-short', {
        expected: `${length} bytes`,
        found: `${this.remaining}`,
      })
    }
    const start = this.#offset
    this.#offset += length
    return start
  }
}

/** Parses all of `bytes` with one parser: no byte may be left. Throws FormatError. */
export function parseAll<T>(bytes: Uint8Array, parse: (reader: Reader) => T): T {
  const reader = new Reader(bytes)
  const value = parse(reader)
  reader.finish()
  return value
}
