import { LogError } from './log-error.ts'
import { hashSize, isSameHash, nodeHash } from './merkle-hash.ts'
import { leftWidth, rangeHash, type SubtreeRoots } from './subtree.ts'

/**
 * The audit path of leaf `index` in the tree of the first `size` leaves, lowest sibling first. RFC 6962 §2.1.1 PATH.
 */
export function createInclusionProof(
  index: number,
  size: number,
  roots: SubtreeRoots,
): Uint8Array[] {
  if (!isLeafOf(index, size)) throw new TypeError('index must lie inside the tree')
  return path(index, 0, size, roots)
}

function path(index: number, begin: number, end: number, roots: SubtreeRoots): Uint8Array[] {
  if (end - begin === 1) return []
  const middle = begin + leftWidth(end - begin)
  return index < middle
    ? [...path(index, begin, middle, roots), rangeHash(middle, end, roots)]
    : [...path(index, middle, end, roots), rangeHash(begin, middle, roots)]
}

/**
 * Verifies that `leaf` (a leaf hash) is number `index` of the tree of `size` leaves with that `root`.
 *
 * @throws {LogError} `inclusion-proof-invalid`, also for lengths and numbers that fit no tree
 */
export function verifyInclusion(claim: {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}): void {
  const { index, size, leaf, proof, root } = claim
  if (!isLeafOf(index, size)) throw new LogError('inclusion-proof-invalid')
  if ([leaf, ...proof].some(hash => hash.length !== hashSize))
    throw new LogError('inclusion-proof-invalid')
  const computed = climb(index, size, leaf, proof)
  if (computed === undefined || !isSameHash(computed, root))
    throw new LogError('inclusion-proof-invalid')
}

/** RFC 9162 §2.1.3.2, without bit operations since sizes pass 2 ** 32. Undefined where the length is wrong. */
function climb(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  let position = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return undefined
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash)
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[position, last] = [half(position), half(last)]
  }
  return last === 0 ? hash : undefined
}

const half = (value: number): number => Math.floor(value / 2)

function isLeafOf(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size
}
