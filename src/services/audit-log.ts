import { LogError } from '../core/log/log-error.ts'
import { encodeVerifierKey } from '../core/log/note-key.ts'
import { parseTilePath } from '../core/log/tile-path.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** The newest checkpoint, a signed note. */
export async function readCheckpoint(service: Pick<Service, 'store'>): Promise<string> {
  return service.store.audit.checkpoint()
}

/** The text by which anybody verifies the checkpoints of this log (C2SP signed-note). */
export function logVerifierKey(service: Pick<Service, 'logVerifier'>): string {
  return encodeVerifierKey(service.logVerifier)
}

/**
 * A tile of hashes by its path.
 *
 * @throws LogError `tile-path-malformed`; ServiceError `audit-beyond-tree`
 */
export async function readHashTile(
  service: Pick<Service, 'store'>,
  path: string,
): Promise<Uint8Array> {
  const { level, index, width } = parseTilePath(path)
  if (level === 'entries') throw new LogError('tile-path-malformed', { found: path })
  const tile = await service.store.audit.tile(level, index, width)
  if (tile === undefined) throw new ServiceError('audit-beyond-tree', { found: path })
  return tile
}

/**
 * A bundle of entries by its path.
 *
 * @throws LogError `tile-path-malformed`; ServiceError `audit-beyond-tree`
 */
export async function readEntryBundle(
  service: Pick<Service, 'store'>,
  path: string,
): Promise<Uint8Array> {
  const { level, index, width } = parseTilePath(path)
  if (level !== 'entries') throw new LogError('tile-path-malformed', { found: path })
  const bundle = await service.store.audit.entryBundle(index, width)
  if (bundle === undefined) throw new ServiceError('audit-beyond-tree', { found: path })
  return bundle
}
