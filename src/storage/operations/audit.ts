import { encodeEntryBundle } from '../../core/log/entry-bundle.ts'
import { hashSize, leafHash } from '../../core/log/merkle-hash.ts'
import { widthOfTile } from '../../core/log/tile.ts'
import { tileWidth } from '../../core/log/tile-path.ts'
import type { LogStateRow } from '../log-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const state = statement<object>()(db => db.selectFrom('log_state').selectAll().where('id', '=', 1))

const entries = statement<{ begin: number; end: number }>()((db, is) =>
  db
    .selectFrom('log_entries')
    .select('entry')
    .where('position', '>=', is.begin)
    .where('position', '<', is.end)
    .orderBy('position'),
)

const fullTile = statement<{ level: number; tile_index: number }>()((db, is) =>
  db
    .selectFrom('log_tiles')
    .select('hashes')
    .where('level', '=', is.level)
    .where('tile_index', '=', is.tile_index),
)

const tileRoots = statement<{ level: number; begin: number; end: number }>()((db, is) =>
  db
    .selectFrom('log_tiles')
    .select('root')
    .where('level', '=', is.level)
    .where('tile_index', '>=', is.begin)
    .where('tile_index', '<', is.end)
    .orderBy('tile_index'),
)

/** Appends an entry that changes nothing else. */
export async function appendEntry(tx: Transaction, entry: string): Promise<void> {
  tx.append(entry)
}

/** What the log last committed to; undefined only before its first checkpoint. */
export async function findLogState(tx: Transaction): Promise<LogStateRow | undefined> {
  return await tx.first(state, {})
}

/** See `AuditStore.tile`. */
export async function readTile(
  tx: Transaction,
  level: number,
  index: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const size = (await findLogState(tx))?.size ?? 0
  if (width < 1 || width > widthOfTile(level, index, size)) return undefined
  const full = await tx.first(fullTile, { level, tile_index: index })
  if (full !== undefined) return full.hashes.slice(0, width * hashSize)
  const begin = index * tileWidth
  return concatenate(await hashesBetween(tx, level, begin, begin + width))
}

/** Hashes of a level whose tile is still partial: from what lies below it. */
async function hashesBetween(
  tx: Transaction,
  level: number,
  begin: number,
  end: number,
): Promise<Uint8Array[]> {
  if (level === 0) {
    const rows = await tx.all(entries, { begin, end })
    return rows.map(row => leafHash(row.entry))
  }
  const rows = await tx.all(tileRoots, { level: level - 1, begin, end })
  return rows.map(row => row.root)
}

/** See `AuditStore.entryBundle`. */
export async function readEntryBundle(
  tx: Transaction,
  index: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const size = (await findLogState(tx))?.size ?? 0
  if (width < 1 || width > widthOfTile(0, index, size)) return undefined
  const begin = index * tileWidth
  const rows = await tx.all(entries, { begin, end: begin + width })
  return encodeEntryBundle(rows.map(row => row.entry))
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
