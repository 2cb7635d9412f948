import { hash } from 'node:crypto'
import type { HashAlgorithm } from '../tpm/algorithm.ts'
import type { ImaCursor } from './cursor.ts'

/**
 * How a kernel extends a bank: by the template digest in the bank's own hash (Linux 5.8 and later), or by the SHA-1
 * digest with zeros behind it (before). One kernel does one of the two.
 */
export type TemplateHash = 'bank' | 'sha1-padded'

const legacyDigestBytes = 20
const legacyNameBytes = 256

/**
 * The PCRs of one bank while a list is replayed into them. A PCR may have begun at one of several values; each is
 * followed until a target tells which.
 *
 * @see Linux ima_add_template_entry; verification I2, I3, I4
 */
export class ImaReplay {
  readonly #name: HashAlgorithm['name']
  readonly #size: number
  readonly #templateHash: TemplateHash
  readonly #values: ReadonlyMap<number, Buffer[]>
  readonly #legacy = Buffer.alloc(legacyDigestBytes + legacyNameBytes)
  readonly #extension: Buffer
  readonly #violation: Buffer

  constructor(
    bank: HashAlgorithm,
    templateHash: TemplateHash,
    start: ReadonlyMap<number, readonly Uint8Array[]>,
  ) {
    this.#name = bank.name
    this.#size = bank.size
    this.#templateHash = bank.name === 'sha1' ? 'bank' : templateHash
    this.#values = new Map([...start].map(([pcr, values]) => [pcr, values.map(copyOf)]))
    this.#extension = Buffer.alloc(bank.size * 2)
    this.#violation = Buffer.alloc(bank.size, 0xff)
  }

  /** Extends the entry that the cursor stands on into its own PCR; one that is not followed is left alone. */
  extend(bytes: Uint8Array, cursor: ImaCursor): void {
    const values = this.#values.get(cursor.pcr)
    if (values === undefined) return
    const digest = cursor.isViolation ? this.#violation : this.#templateDigest(bytes, cursor)
    this.#extension.set(digest, this.#size)
    for (let i = 0; i < values.length; i += 1) {
      this.#extension.set(values[i] as Buffer, 0)
      values[i] = hash(this.#name, this.#extension, 'buffer')
    }
  }

  /** Whether a PCR has reached a value. */
  hasReached(pcr: number, target: Uint8Array): boolean {
    const values = this.#values.get(pcr)
    return values !== undefined && values.some(value => value.equals(target))
  }

  #templateDigest(bytes: Uint8Array, cursor: ImaCursor): Uint8Array {
    const data = this.#templateData(bytes, cursor)
    if (this.#templateHash === 'bank') return hash(this.#name, data, 'buffer')
    return Buffer.concat([hash('sha1', data, 'buffer')], this.#size)
  }

  /** The `ima` template hashes its name in 256 bytes, whatever its length. */
  #templateData(bytes: Uint8Array, { template, dataStart, dataEnd }: ImaCursor): Uint8Array {
    if (template.fields.length !== 0) return bytes.subarray(dataStart, dataEnd)
    const name = bytes.subarray(dataStart + legacyDigestBytes + 4, dataEnd)
    this.#legacy.fill(0)
    this.#legacy.set(bytes.subarray(dataStart, dataStart + legacyDigestBytes))
    this.#legacy.set(name, legacyDigestBytes)
    return this.#legacy
  }
}

function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes)
}
