import { emptyRoot, nodeHash } from './merkle-hash.ts'

/** Told of each perfect subtree as it becomes complete: its height (0 = leaf) and its root. */
export type SubtreeListener = (height: number, root: Uint8Array) => void

/**
 * The right edge of a growing tree: one root for each 1 in the binary form of its size, which is all that appending
 * and the root need (a "compact range" from 0). RFC 6962 §2.1.
 */
export class Frontier {
  #size = 0
  readonly #roots: (Uint8Array | undefined)[] = []

  /** Takes up a tree of `size` leaves; `roots` are those of its perfect subtrees from left (largest) to right. */
  static restore(size: number, roots: readonly Uint8Array[]): Frontier {
    const frontier = new Frontier()
    frontier.#size = size
    const heights = perfectHeights(size)
    if (heights.length !== roots.length) throw new TypeError('one root per perfect subtree')
    heights.forEach((height, i) => (frontier.#roots[height] = roots[i]))
    return frontier
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size
  }

  /** Appends the hash of one leaf; `completed` hears of the leaf and of each subtree it completes, low to high. */
  append(leaf: Uint8Array, completed?: SubtreeListener): void {
    let root = leaf
    let height = 0
    completed?.(height, root)
    for (let left = this.#roots[height]; left !== undefined; left = this.#roots[height]) {
      this.#roots[height] = undefined
      root = nodeHash(left, root)
      height += 1
      completed?.(height, root)
    }
    this.#roots[height] = root
    this.#size += 1
  }

  /** Merkle Tree Hash of all leaves so far. */
  root(): Uint8Array {
    let root: Uint8Array | undefined
    for (const subtree of this.#roots)
      if (subtree !== undefined) root = root === undefined ? subtree : nodeHash(subtree, root)
    return root ?? emptyRoot()
  }
}

/** Heights of the perfect subtrees that make a tree of `size` leaves, left to right. */
export function perfectHeights(size: number): number[] {
  const bits = size.toString(2)
  const heights: number[] = []
  for (let i = 0; i < bits.length; i += 1) if (bits[i] === '1') heights.push(bits.length - 1 - i)
  return heights
}
