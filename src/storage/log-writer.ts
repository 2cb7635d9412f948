import { encodeCheckpointText, verifyCheckpoint, type Checkpoint } from '../core/log/checkpoint.ts'
import { LogError } from '../core/log/log-error.ts'
import { isSameHash, leafHash } from '../core/log/merkle-hash.ts'
import { verifierOfSpki, type NoteVerifier } from '../core/log/note-key.ts'
import { encodeNote } from '../core/log/signed-note.ts'
import { widthOfTile } from '../core/log/tile.ts'
import { tileWidth } from '../core/log/tile-path.ts'
import { TreeEdge, type FullTile } from '../core/log/tree-edge.ts'
import type { Signer } from '../ports/signer.ts'
import { StoreError } from '../ports/store-error.ts'
import { findLogState, readTile } from './operations/audit.ts'
import type { LogEntryRow, LogStateRow, LogTileRow } from './log-rows.ts'
import { statement } from './statement.ts'
import type { Transaction } from './transaction.ts'

const insertEntry = statement<LogEntryRow>()((db, is) =>
  db.insertInto('log_entries').values({ position: is.position, entry: is.entry }),
)

const insertTile = statement<LogTileRow>()((db, is) =>
  db
    .insertInto('log_tiles')
    .values({ level: is.level, tile_index: is.tile_index, hashes: is.hashes, root: is.root }),
)

const writeState = statement<LogStateRow>()((db, is) =>
  db
    .insertInto('log_state')
    .values({ id: is.id, size: is.size, checkpoint: is.checkpoint })
    .onConflict(conflict =>
      conflict.column('id').doUpdateSet({ size: is.size, checkpoint: is.checkpoint }),
    ),
)

/**
 * The one writer of the audit log: holds the right edge of the tree in memory, so that appending reads nothing. After
 * a transaction that did not commit, call {@link load} before anything else.
 */
export class LogWriter {
  readonly #origin: string
  readonly #signer: Signer
  readonly #verifier: NoteVerifier
  #full: FullTile[] = []
  #edge: TreeEdge = this.#emptyEdge()

  constructor(origin: string, signer: Signer) {
    this.#origin = origin
    this.#signer = signer
    this.#verifier = verifierOfSpki(origin, signer.publicKey)
  }

  /**
   * Takes the tree up from the database, or signs the checkpoint of an empty one.
   *
   * @throws {StoreError} `store-log-key-mismatch`, `store-log-damaged`
   */
  async load(tx: Transaction): Promise<void> {
    const state = await findLogState(tx)
    if (state === undefined) {
      this.#edge = this.#emptyEdge()
      return await this.#sign(tx)
    }
    const checkpoint = this.#verify(state)
    this.#edge = await this.#readEdge(tx, checkpoint.size)
    const isWhole = state.size === checkpoint.size
    if (!isWhole || !isSameHash(this.#edge.root(), checkpoint.rootHash))
      throw new StoreError('store-log-damaged', { found: `${state.size} entries` })
  }

  /** Appends entries (canonical JSON) and signs what the log commits to with them. */
  async append(tx: Transaction, entries: readonly string[]): Promise<void> {
    for (const text of entries) {
      const entry = Buffer.from(text)
      await tx.run(insertEntry, { position: this.#edge.size, entry })
      this.#edge.append(leafHash(entry))
    }
    for (const { level, index, hashes, root } of this.#full)
      await tx.run(insertTile, { level, tile_index: index, hashes, root })
    this.#full = []
    await this.#sign(tx)
  }

  async #sign(tx: Transaction): Promise<void> {
    const { size } = this.#edge
    const text = encodeCheckpointText({
      origin: this.#origin,
      size,
      rootHash: this.#edge.root(),
    })
    const signature = await this.#signer.sign(Buffer.from(text))
    const { name, keyId } = this.#verifier
    const checkpoint = encodeNote({ text, signatures: [{ name, keyId, signature }] })
    await tx.run(writeState, { id: 1, size, checkpoint })
  }

  #verify(state: LogStateRow): Checkpoint {
    try {
      return verifyCheckpoint(state.checkpoint, this.#verifier)
    } catch (cause) {
      const isKey = cause instanceof LogError && cause.code === 'checkpoint-signature'
      throw new StoreError(isKey ? 'store-log-key-mismatch' : 'store-log-damaged', { cause })
    }
  }

  async #readEdge(tx: Transaction, size: number): Promise<TreeEdge> {
    const partial: Uint8Array[] = []
    for (let level = 0; tileWidth ** level <= size; level += 1) {
      const index = Math.floor(size / tileWidth ** (level + 1))
      const width = widthOfTile(level, index, size)
      partial.push((await readTile(tx, level, index, width)) ?? new Uint8Array(0))
      if (partial[level]!.length !== width * 32) throw new StoreError('store-log-damaged')
    }
    this.#full = []
    return TreeEdge.restore(size, partial, tile => this.#full.push(tile))
  }

  #emptyEdge(): TreeEdge {
    this.#full = []
    return new TreeEdge(tile => this.#full.push(tile))
  }
}
