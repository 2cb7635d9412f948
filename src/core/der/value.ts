import { DerError } from './error.ts'
import type { DerReader } from './reader.ts'
import { TAG } from './tag.ts'

/** A departure from DER that signed documents of known issuers have; whoever reads one says where it is tolerated. */
export type Deviation = 'unsorted-set' | 'encoded-default' | 'padded-bits'

/** Where a parser leaves the deviations that it met. */
export type DeviationSet = Set<Deviation>

/** BOOLEAN. Throws DerError. X.690 §11.1. */
export function readBoolean(reader: DerReader, tag: number = TAG.boolean): boolean {
  const contents = reader.contents(tag)
  if (contents.length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff)) {
    throw new DerError('der-value', { expected: 'a BOOLEAN of 00 or FF' })
  }
  return contents[0] === 0xff
}

/** `BOOLEAN DEFAULT FALSE`: absent where false; an encoded false is noted as a deviation. X.690 §11.5. */
export function readDefaultFalse(
  reader: DerReader,
  deviations: DeviationSet,
  tag: number = TAG.boolean,
): boolean {
  if (!reader.isNext(tag)) return false
  const value = readBoolean(reader, tag)
  if (!value) deviations.add('encoded-default')
  return value
}

/** INTEGER: its two's complement octets, in the shortest form. Throws DerError. X.690 §8.3. */
export function readInteger(reader: DerReader, tag: number = TAG.integer): Uint8Array {
  const contents = reader.contents(tag)
  const [first, second = 0] = contents
  const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
  if (first === undefined || (contents.length > 1 && isPadded)) {
    throw new DerError('der-value', { expected: 'an INTEGER in its shortest form' })
  }
  return contents
}

/** INTEGER of 0 to `limit`, which is below 2³¹. Throws DerError. */
export function readSmallInteger(reader: DerReader, limit: number, tag?: number): number {
  const contents = readInteger(reader, tag)
  let value = 0
  for (const octet of contents) value = value * 256 + octet
  if (contents.length > 4 || (contents[0] ?? 0) >= 0x80 || value > limit) {
    throw new DerError('der-value', { expected: `an INTEGER of 0 to ${limit}` })
  }
  return value
}

/** INTEGER of 0 or more as an unsigned big-endian number without leading zeros. Throws DerError. */
export function readUnsigned(reader: DerReader): Uint8Array {
  const contents = readInteger(reader)
  if ((contents[0] ?? 0) >= 0x80)
    throw new DerError('der-value', { expected: 'an INTEGER of 0 or more' })
  return contents.length > 1 && contents[0] === 0 ? contents.subarray(1) : contents
}

/** OBJECT IDENTIFIER in dotted decimal, of at most 64 octets. Throws DerError. X.690 §8.19. */
export function readObjectIdentifier(
  reader: DerReader,
  tag: number = TAG.objectIdentifier,
): string {
  const contents = reader.contents(tag)
  const arcs: number[] = []
  let arc = 0
  let isOpen = false
  for (const octet of contents) {
    if (!isOpen && octet === 0x80) throw new DerError('der-value', { found: 'a padded arc' })
    arc = arc * 128 + (octet & 0x7f)
    isOpen = octet >= 0x80
    if (arc > Number.MAX_SAFE_INTEGER)
      throw new DerError('der-value', { found: 'an arc of 54 bits' })
    if (isOpen) continue
    if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2))
    arcs.push(arcs.length === 1 ? arc - (arcs[0] ?? 0) * 40 : arc)
    arc = 0
  }
  if (arcs.length === 0 || isOpen || contents.length > 64) {
    throw new DerError('der-value', { expected: 'an OBJECT IDENTIFIER' })
  }
  return arcs.join('.')
}

/** BIT STRING of whole octets. Throws DerError. */
export function readOctetBits(reader: DerReader, tag: number = TAG.bitString): Uint8Array {
  const contents = reader.contents(tag)
  if (contents[0] !== 0)
    throw new DerError('der-value', { expected: 'a BIT STRING of whole octets' })
  return contents.subarray(1)
}

/**
 * BIT STRING of up to 16 named bits, bit n as 2ⁿ. Trailing zeros, which DER leaves out, are noted as a deviation.
 *
 * @throws DerError
 * @see X.690 §11.2
 */
export function readNamedBits(
  reader: DerReader,
  deviations: DeviationSet,
  tag: number = TAG.bitString,
): number {
  const [unused = 8, ...octets] = reader.contents(tag)
  const last = octets.at(-1) ?? 0
  // As many trailing zeros as the last octet has; 32 for an octet of zeros, which DER leaves out as a whole.
  const zeros = 31 - Math.clz32(last & -last)
  if (octets.length > 2 || unused > (octets.length === 0 ? 0 : Math.min(7, zeros & 31))) {
    throw new DerError('der-value', { expected: 'up to 16 named bits' })
  }
  if (octets.length > 0 && unused !== zeros) deviations.add('padded-bits')
  return octets.reduce((bits, octet, index) => bits | (reverse(octet) << (8 * index)), 0)
}

function reverse(octet: number): number {
  let reversed = 0
  for (let bit = 0; bit < 8; bit += 1) reversed |= ((octet >> bit) & 1) << (7 - bit)
  return reversed
}

/** The contents of SET OF, each read by `read`; their order is noted where it is not DER's. X.690 §11.6. */
export function readSetOf<T>(
  reader: DerReader,
  limit: number,
  deviations: DeviationSet,
  read: (element: DerReader) => T,
): T[] {
  const before: Uint8Array[] = []
  return reader.within(TAG.set, inside =>
    inside.each(limit, elements => {
      const { encoded } = elements.element()
      const previous = before.at(-1)
      if (previous !== undefined && Buffer.compare(previous, encoded) > 0)
        deviations.add('unsorted-set')
      before.push(encoded)
      return read(elements.again(encoded))
    }),
  )
}
