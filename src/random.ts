import { randomBytes } from 'node:crypto'
import type { Random } from './ports/random.ts'

const pieceLength = 4096

/**
 * Randomness of the system, drawn in larger pieces: a call costs more than its bytes, and each token takes some. A byte
 * is given out once and wiped where it lay.
 */
export function createRandom(): Random {
  let piece = Buffer.alloc(0)
  let next = 0
  return {
    bytes: length => {
      if (length > pieceLength) return new Uint8Array(randomBytes(length))
      if (next + length > piece.length) [piece, next] = [randomBytes(pieceLength), 0]
      const end = next + length
      const bytes = Uint8Array.from(piece.subarray(next, end))
      piece.fill(0, next, end)
      next = end
      return bytes
    },
  }
}
