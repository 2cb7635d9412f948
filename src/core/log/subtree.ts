import { nodeHash } from './merkle-hash.ts'

/** Looks up the root of the perfect subtree of `2 ** height` leaves that begins at leaf `index * 2 ** height`. */
export type SubtreeRoots = (height: number, index: number) => Uint8Array

/**
 * Merkle Tree Hash of the leaves from `begin` up to `end`, as RFC 6962 §2.1 splits them: `begin` must be a multiple of
 * the smallest power of two that is not below `end - begin`. Called with non-empty ranges only.
 */
export function rangeHash(begin: number, end: number, roots: SubtreeRoots): Uint8Array {
  const width = end - begin
  const left = splitPoint(width)
  if (left === width) return roots(Math.log2(width), begin / width)
  return nodeHash(rangeHash(begin, begin + left, roots), rangeHash(begin + left, end, roots))
}

/** For 1 itself, else the largest power of two below `width`, or `width` where it is a power of two. */
function splitPoint(width: number): number {
  let power = 1
  while (power * 2 <= width) power *= 2
  return power
}

/** The largest power of two strictly below `size`, which is 2 or more: `k` of RFC 6962 §2.1. */
export function leftWidth(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/** Root of 2 ** n hashes laid end to end, for example of a full tile. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  let layer = hashes
  while (layer.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i + 1 < layer.length; i += 2) above.push(nodeHash(layer[i]!, layer[i + 1]!))
    if (layer.length % 2 !== 0) throw new TypeError('a power of two of hashes')
    layer = above
  }
  if (layer[0] === undefined) throw new TypeError('at least one hash')
  return layer[0]
}
