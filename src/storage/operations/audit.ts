import { encodeEntryBundle } from '../../core/log/entry-bundle.ts'
import { hashSize, leafHash } from '../../core/log/merkle-hash.ts'
import { widthOfTile } from '../../core/log/tile.ts'
import { tileWidth } from '../../core/log/tile-path.ts'
import type { LogStateRow } from '../log-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const state = statement<object>()(db => db.selectFrom('log_state').selectAll().where('id', '=', 1))

const writeSigned = statement<{ size: number; checkpoint: string }>()((db, is) =>
  db
    .updateTable('log_state')
    .set({ checkpoint: is.checkpoint, signed_size: is.size })
    .where('id', '=', 1)
    .where('size', '>=', is.size)
    .where(eb => eb.or([eb('checkpoint', '=', ''), eb('signed_size', '<', is.size)])),
)

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

/** What the log holds and last committed to; undefined only before its first checkpoint. */
export async function findLogState(tx: Transaction): Promise<LogStateRow | undefined> {
  return await tx.first(state, {})
}

/** What the log holds beyond its checkpoint, as one to sign; undefined where all is signed. */
export async function findUnsigned(
  tx: Transaction,
): Promise<{ size: number; root: Uint8Array } | undefined> {
  const log = await findLogState(tx)
  if (log === undefined || log.root === null) return undefined
  if (log.checkpoint !== '' && (log.signed_size ?? log.size) >= log.size) return undefined
  return { size: log.size, root: log.root }
}

/** Puts a checkpoint of the entries that there were in place of one of fewer. */
export async function writeCheckpoint(
  tx: Transaction,
  size: number,
  checkpoint: string,
): Promise<void> {
  await tx.run(writeSigned, { size, checkpoint })
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

/** The operations on the log, as one part of the table. */
export interface LogOperations {
  readonly appendEntry: typeof appendEntry
  readonly findLogState: typeof findLogState
  readonly findUnsigned: typeof findUnsigned
  readonly readEntryBundle: typeof readEntryBundle
  readonly readTile: typeof readTile
  readonly writeCheckpoint: typeof writeCheckpoint
}

export const logOperations: LogOperations = {
  appendEntry,
  findLogState,
  findUnsigned,
  readEntryBundle,
  readTile,
  writeCheckpoint,
}
