// Big-endian members, as TPM structures and transcripts are made of them.

/** One byte. Throws `TypeError` for a number that does not fit. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(fitting(value, 0xff))
}

/** Two bytes. Throws `TypeError` for a number that does not fit. */
export function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, fitting(value, 0xffff))
  return bytes
}

/** Four bytes. Throws `TypeError` for a number that does not fit. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, fitting(value, 0xffffffff))
  return bytes
}

function fitting(value: number, limit: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= limit) return value
  throw new TypeError(`not a whole number from 0 to ${limit}: ${value}`)
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}

/** A TPM2B: 16-bit size, then the bytes. Throws `TypeError` for 64 KiB and more. */
export function sized(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([u16(bytes.length), bytes])
}

/** Fields one after the other, each behind its 32-bit length: no two lists of fields have the same bytes. */
export function lengthPrefixed(fields: readonly (Uint8Array | string)[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(field => {
      const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field
      return [u32(bytes.length), bytes]
    }),
  )
}
