import { DerError } from '../core/der/error.ts'
import type { DerReader } from '../core/der/reader.ts'
import { constructedContextTag, TAG } from '../core/der/tag.ts'
import * as der from '../core/der/writer.ts'
import { parseAll } from '../core/bytes/reader.ts'

/** Members of a TSS2 key file, read with the leniency that files of real tools ask for; each throws DerError. */

/** `[n]` EXPLICIT OPTIONAL. */
export function readOptional<T>(
  reader: DerReader,
  n: number,
  read: (inside: DerReader) => T,
): T | undefined {
  return reader.optional(constructedContextTag(n), read)
}

/** BOOLEAN; tpm2-openssl 1.1 writes TRUE as 0x01, which is BER (X.690 §8.2.2). */
export function readBoolean(reader: DerReader): boolean {
  const contents = reader.contents(TAG.boolean)
  if (contents.length !== 1) throw new DerError('der-value', { expected: 'one octet' })
  return contents[0] !== 0
}

/** UTF8String. */
export function readText(reader: DerReader): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(reader.contents(TAG.utf8String))
  } catch (cause) {
    if (cause instanceof DerError) throw cause
    throw new DerError('der-value', { expected: 'UTF-8', cause })
  }
}

/** INTEGER of 32 bits, unsigned. */
export function readUnsigned(reader: DerReader): number {
  return unsigned(reader.contents(TAG.integer))
}

/** A handle: INTEGER of 32 bits, which some tools take for a signed number. */
export function readHandle(reader: DerReader): number {
  const contents = reader.contents(TAG.integer)
  return contents.length === 4 ? Buffer.from(contents).readUInt32BE() : unsigned(contents)
}

function unsigned(contents: Uint8Array): number {
  const [first = 0x80, second = 0x80] = contents
  const value = contents.reduce((sum, octet) => sum * 256 + octet, 0)
  if (first >= 0x80 || (first === 0 && second < 0x80) || value > 0xffff_ffff) {
    throw new DerError('der-value', {
      expected: 'an unsigned number of 32 bits in its shortest form',
    })
  }
  return value
}

/** The content of a TPM2B in an OCTET STRING. */
export function readSized(reader: DerReader): Uint8Array {
  return parseAll(reader.contents(TAG.octetString), inside => inside.sized())
}

/** `[n]` EXPLICIT, or nothing for undefined. */
export function encodeOptional(n: number, value: Uint8Array | undefined): Uint8Array[] {
  return value === undefined ? [] : [der.contextConstructed(n, value)]
}
