import { FormatError } from '../bytes/format-error.ts'

/** Reads little-endian members, as UEFI writes them, off bytes from outside; never past their end. */
export class LittleEndianReader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#offset = offset
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
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  /** A UINT64 that counts or measures something: above 2^53 it is refused. Throws FormatError `structure-value`. */
  size64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new FormatError('structure-value', { found: value.toString() })
    return Number(value)
  }

  /** The next `length` bytes, a view of the input. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
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
