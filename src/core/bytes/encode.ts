/** Big-endian members, as TPM structures and transcripts are made of them. */

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value)
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** A TPM2B: 16-bit size, then the bytes. */
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
