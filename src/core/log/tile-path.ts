import { LogError } from './log-error.ts'

/** Hashes in a full tile, entries in a full bundle. C2SP tlog-tiles v0.1.0 §Merkle Tree. */
export const tileWidth = 256

/** Names one tile of hashes (`level` 0 to 63) or one bundle of entries, at `index`, holding `width` (1 to 256). */
export interface TileAddress {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

/** The path of a tile relative to the log's prefix: `tile/<L>/<N>[.p/<W>]`. C2SP tlog-tiles v0.1.0 §Merkle Tree. */
export function encodeTilePath({ level, index, width }: TileAddress): string {
  if (!isAddress(level, index, width)) throw new TypeError('no such tile can exist')
  const suffix = width === tileWidth ? '' : `.p/${width}`
  return `tile/${level}/${encodeIndex(index)}${suffix}`
}

function encodeIndex(index: number): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
}

const pattern =
  /^tile\/(?<level>0|[1-9]\d?|entries)\/(?<index>(?:x\d{3}\/){0,5}\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/

/**
 * Parses what {@link encodeTilePath} gives, and nothing else: one tile has one path.
 *
 * @throws {LogError} `tile-path-malformed`
 */
export function parseTilePath(path: string): TileAddress {
  const groups = pattern.exec(path)?.groups
  if (groups === undefined) throw malformed(path)
  const level = groups['level'] === 'entries' ? 'entries' : Number(groups['level'])
  const index = Number((groups['index'] ?? '').replaceAll(/[x/]/g, ''))
  const width = groups['width'] === undefined ? tileWidth : Number(groups['width'])
  if (!isAddress(level, index, width) || encodeTilePath({ level, index, width }) !== path)
    throw malformed(path)
  return { level, index, width }
}

function isAddress(level: number | 'entries', index: number, width: number): boolean {
  const isLevel = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= 63)
  const isWidth = Number.isInteger(width) && width >= 1 && width <= tileWidth
  return isLevel && isWidth && Number.isSafeInteger(index) && index >= 0
}

function malformed(path: string): LogError {
  return new LogError('tile-path-malformed', { found: JSON.stringify(path.slice(0, 80)) })
}
