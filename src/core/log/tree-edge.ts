import { Frontier } from './frontier.ts'
import { hashSize } from './merkle-hash.ts'
import { foldHashes } from './subtree.ts'
import { splitTile } from './tile.ts'
import { tileWidth } from './tile-path.ts'

/** Tile height in levels of the tree. C2SP tlog-tiles v0.1.0 §Merkle Tree. */
const tileHeight = 8

/** A tile that has just become full. */
export interface FullTile {
  readonly level: number
  readonly index: number
  /** 256 hashes. */
  readonly hashes: Uint8Array
  /** What stands for the tile one level up. */
  readonly root: Uint8Array
}

/**
 * The right edge of a tiled tree: the partial tile of each level, and the root. Memory grows with the logarithm of the
 * number of leaves.
 */
export class TreeEdge {
  #frontier = new Frontier()
  /** Per level the hashes of its partial tile; room for a full one. */
  readonly #tiles: Uint8Array[] = []
  readonly #full: (tile: FullTile) => void

  /** `full` hears of each tile as it becomes full. */
  constructor(full: (tile: FullTile) => void) {
    this.#full = full
  }

  /** Takes up a tree of `size` leaves from the bytes of its partial tiles, level 0 first. */
  static restore(
    size: number,
    partial: readonly Uint8Array[],
    full: (tile: FullTile) => void,
  ): TreeEdge {
    const edge = new TreeEdge(full)
    partial.forEach((hashes, level) => edge.#tileOf(level).set(hashes))
    edge.#frontier = Frontier.restore(size, perfectRoots(partial))
    return edge
  }

  get size(): number {
    return this.#frontier.size
  }

  root(): Uint8Array {
    return this.#frontier.root()
  }

  /** Appends the hash of one leaf. */
  append(leaf: Uint8Array): void {
    const position = this.size
    this.#frontier.append(leaf, (height, root) => {
      if (height % tileHeight === 0) this.#place(height / tileHeight, position, root)
    })
  }

  /** The first `width` hashes of the partial tile at `level`: a copy. */
  partialTile(level: number, width: number): Uint8Array {
    return this.#tileOf(level).slice(0, width * hashSize)
  }

  #place(level: number, leaf: number, hash: Uint8Array): void {
    const position = Math.floor(leaf / tileWidth ** level)
    this.#tileOf(level).set(hash, (position % tileWidth) * hashSize)
    // A hash above level 0 is the root of the tile below, which has just become full.
    if (level === 0) return
    const hashes = this.#tileOf(level - 1).slice()
    this.#full({ level: level - 1, index: position, hashes, root: hash })
  }

  #tileOf(level: number): Uint8Array {
    return (this.#tiles[level] ??= new Uint8Array(tileWidth * hashSize))
  }
}

/** Roots of the perfect subtrees that partial tiles (level 0 first) stand for, left to right. */
export function perfectRoots(partial: readonly Uint8Array[]): Uint8Array[] {
  return partial.toReversed().flatMap(bytes => perfectRootsOfTile(splitTile(bytes)))
}

function perfectRootsOfTile(hashes: readonly Uint8Array[]): Uint8Array[] {
  const roots: Uint8Array[] = []
  let at = 0
  for (let width = tileWidth / 2; width >= 1; width /= 2) {
    if ((hashes.length & width) === 0) continue
    roots.push(foldHashes(hashes.slice(at, at + width)))
    at += width
  }
  return roots
}
