import { LogError } from './log-error.ts'
import { hashSize, isSameHash, nodeHash } from './merkle-hash.ts'
import { leftWidth, rangeHash, type SubtreeRoots } from './subtree.ts'

/**
 * The proof that the tree of `newer` leaves begins with that of `older` leaves (1 ≤ older ≤ newer). RFC 6962 §2.1.2
 * PROOF.
 */
export function createConsistencyProof(
  older: number,
  newer: number,
  roots: SubtreeRoots,
): Uint8Array[] {
  if (!isSize(older) || !isSize(newer) || older < 1 || older > newer)
    throw new TypeError('the older tree must be a non-empty part of the newer')
  return subproof(older, 0, newer, true, roots)
}

function subproof(
  older: number,
  begin: number,
  end: number,
  isWhole: boolean,
  roots: SubtreeRoots,
): Uint8Array[] {
  if (older === end) return isWhole ? [] : [rangeHash(begin, end, roots)]
  const middle = begin + leftWidth(end - begin)
  return older <= middle
    ? [...subproof(older, begin, middle, isWhole, roots), rangeHash(middle, end, roots)]
    : [...subproof(older, middle, end, false, roots), rangeHash(begin, middle, roots)]
}

/**
 * Verifies that the tree (`newer`, `newerRoot`) extends the tree (`older`, `olderRoot`).
 *
 * @throws {LogError} `consistency-proof-invalid`, also for lengths and numbers that fit no tree; an empty older tree
 * proves nothing and is refused
 */
export function verifyConsistency(claim: {
  readonly older: number
  readonly olderRoot: Uint8Array
  readonly newer: number
  readonly newerRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}): void {
  const { older, newer, olderRoot, newerRoot, proof } = claim
  if (!isSize(older) || !isSize(newer) || older < 1 || older > newer)
    throw new LogError('consistency-proof-invalid')
  if ([olderRoot, newerRoot, ...proof].some(hash => hash.length !== hashSize))
    throw new LogError('consistency-proof-invalid')
  const holds =
    older === newer
      ? proof.length === 0 && isSameHash(olderRoot, newerRoot)
      : climbBoth(older, newer, olderRoot, newerRoot, proof)
  if (!holds) throw new LogError('consistency-proof-invalid')
}

/** RFC 9162 §2.1.4.2: climbs to both roots at once. */
function climbBoth(
  older: number,
  newer: number,
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  const path = isPowerOfTwo(older) ? [olderRoot, ...proof] : proof
  let [position, last] = [older - 1, newer - 1]
  while (position % 2 === 1) [position, last] = [half(position), half(last)]
  const start = path[0]
  if (start === undefined) return false
  let [oldHash, newHash] = [start, start]
  for (const sibling of path.slice(1)) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)]
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    ;[position, last] = [half(position), half(last)]
  }
  return last === 0 && isSameHash(oldHash, olderRoot) && isSameHash(newHash, newerRoot)
}

const half = (value: number): number => Math.floor(value / 2)
const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value))
