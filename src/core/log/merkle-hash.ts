import { hash } from 'node:crypto'

/** Bytes in one hash of the tree. */
export const hashSize = 32

/** Root of the tree without leaves: SHA-256 of nothing. RFC 6962 §2.1. */
export function emptyRoot(): Uint8Array {
  return hash('sha256', new Uint8Array(0), 'buffer')
}

/** Hash of one entry: SHA-256(0x00 ‖ entry). RFC 6962 §2.1. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(entry.length + 1)
  input[0] = 0x00
  input.set(entry, 1)
  return hash('sha256', input, 'buffer')
}

// One-shot hashing copies its input, so the scratch space never outlives a call.
const scratch = new Uint8Array(1 + 2 * hashSize)
scratch[0] = 0x01

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right); each 32 bytes. RFC 6962 §2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== hashSize || right.length !== hashSize)
    throw new TypeError('a node is made of two hashes of 32 bytes')
  scratch.set(left, 1)
  scratch.set(right, 1 + hashSize)
  return hash('sha256', scratch, 'buffer')
}

/** Whether two hashes are the same bytes. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
