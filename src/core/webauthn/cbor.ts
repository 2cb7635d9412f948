import { decodeFirst, Tokenizer, type Token } from 'cborg'
import { FormatError } from '../bytes/format-error.ts'

/** Items of the largest attestation object that is met here, many times over; bounds work and depth alike. */
const itemLimit = 512

class BoundedTokenizer extends Tokenizer {
  #count = 0

  override next(): Token {
    this.#count += 1
    if (this.#count > itemLimit)
      throw new FormatError('structure-value', { expected: `at most ${itemLimit} CBOR items` })
    return super.next()
  }
}

const strict = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
} as const

/** A CBOR map as it was read: keys are numbers or texts. */
export type CborMap = ReadonlyMap<unknown, unknown>

/**
 * Reads one CBOR item: definite lengths and numbers in their shortest form, no tags, no key twice, at most 512 items.
 *
 * @returns the item and the bytes after it
 * @throws FormatError `structure-value`
 * @see RFC 8949 §4.2.1, §5.4
 */
export function readCbor(bytes: Uint8Array): { readonly item: unknown; readonly rest: Uint8Array } {
  try {
    const [item, rest] = decodeFirst(bytes, {
      ...strict,
      tokenizer: new BoundedTokenizer(bytes, strict),
    }) as [unknown, Uint8Array]
    return { item, rest }
  } catch (cause) {
    throw new FormatError('structure-value', { expected: 'strict CBOR', cause })
  }
}

/** Reads bytes that are one CBOR map and nothing else. Throws FormatError. */
export function parseCborMap(bytes: Uint8Array): CborMap {
  const { item, rest } = readCbor(bytes)
  if (rest.length > 0)
    throw new FormatError('structure-trailing', { found: `${rest.length} bytes` })
  if (!(item instanceof Map)) throw new FormatError('structure-value', { expected: 'a map' })
  return item
}
