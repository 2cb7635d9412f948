import { deflateSync, inflateSync } from 'node:zlib'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { StatusError } from './error.ts'

/** What a status list says of one credential (draft-ietf-oauth-status-list-21 §7.1); others are an application's own. */
export const statusTypes = { valid: 0, invalid: 1, suspended: 2 } as const

const sizes = [1, 2, 4, 8] as const

/** How many bits one status takes. */
export type StatusBits = (typeof sizes)[number]

/** More than any list here has, and less than what a few kilobytes could be made to fill. */
const largestBytes = 4 * 1024 * 1024

/** A list as it travels: `{"bits", "lst"}`. */
export interface EncodedStatusList {
  readonly bits: StatusBits
  /** base64url of the zlib stream. */
  readonly lst: string
}

/** Statuses by index; of a fixed length. */
export class StatusList {
  readonly bits: StatusBits
  readonly #bytes: Uint8Array

  /** @param bytes as §4 orders them: the first status in the least significant bits of the first byte */
  constructor(bits: StatusBits, bytes: Uint8Array) {
    this.bits = bits
    this.#bytes = bytes
  }

  /** Number of places. */
  get length(): number {
    return (this.#bytes.length * 8) / this.bits
  }

  /**
   * The status at a place.
   *
   * @throws StatusError `status-index` for a place that is not there
   */
  at(index: number): number {
    const first = index * this.bits
    const byte = Number.isSafeInteger(index) && index >= 0 ? this.#bytes[first >> 3] : undefined
    if (byte === undefined || index >= this.length)
      throw new StatusError('status-index', {
        expected: `below ${this.length}`,
        found: String(index).slice(0, 20),
      })
    return (byte >> (first & 7)) & ((1 << this.bits) - 1)
  }
}

/**
 * The list in which the places of `invalid` are 1 and all others 0, one bit a place.
 *
 * @param length number of places, a multiple of eight
 * @throws TypeError for a place outside, or another length: the caller allotted it
 * @see draft-ietf-oauth-status-list-21 §4.1, §4.2
 */
export function encodeStatusList(length: number, invalid: Iterable<number>): EncodedStatusList {
  if (length % 8 !== 0 || length <= 0 || length > largestBytes * 8)
    throw new TypeError('a status list has whole bytes')
  const bytes = new Uint8Array(length / 8)
  for (const index of invalid) {
    if (!Number.isSafeInteger(index) || index < 0 || index >= length)
      throw new TypeError('an index lies within its list')
    const place = index >> 3
    bytes[place] = (bytes[place] as number) | (1 << (index & 7))
  }
  return { bits: 1, lst: encodeBase64url(deflateSync(bytes, { level: 9 })) }
}

/**
 * Reads a list: at most 4 MiB once it is inflated.
 *
 * @throws StatusError `status-list-malformed`
 * @see draft-ietf-oauth-status-list-21 §4.2
 */
export function parseStatusList(value: unknown): StatusList {
  const { bits, lst } = (value ?? {}) as { readonly bits?: unknown; readonly lst?: unknown }
  const size = sizes.find(candidate => candidate === bits)
  if (size === undefined || typeof lst !== 'string')
    throw new StatusError('status-list-malformed', { expected: 'bits of 1, 2, 4 or 8, and lst' })
  try {
    const bytes = inflateSync(decodeBase64url(lst), { maxOutputLength: largestBytes })
    return new StatusList(size, bytes)
  } catch (cause) {
    throw new StatusError('status-list-malformed', { expected: 'a zlib stream in lst', cause })
  }
}
