import { hashSize } from './merkle-hash.ts'
import { tileWidth } from './tile-path.ts'

/**
 * How many hashes the tile at `level` and `index` holds in a tree of `size` leaves; 0 where it does not exist.
 * C2SP tlog-tiles v0.1.0 §Partial Tiles.
 */
export function widthOfTile(level: number, index: number, size: number): number {
  if (!isNatural(level) || !isNatural(index)) return 0
  const hashes = Math.floor(size / tileWidth ** level)
  return Math.min(tileWidth, Math.max(0, hashes - index * tileWidth))
}

const isNatural = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** The single hashes of a tile, views into its bytes. `bytes` must be whole hashes. */
export function splitTile(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % hashSize !== 0) throw new TypeError('a tile is made of whole hashes')
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += hashSize) hashes.push(bytes.subarray(at, at + hashSize))
  return hashes
}
