/** Bytes from hex, for fixed answers. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** A copy with one bit changed; `bit` counts from the first byte's highest and wraps around. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  const at = Math.floor(bit / 8) % copy.length
  copy[at] = copy[at]! ^ (0x80 >> (bit % 8))
  return copy
}
