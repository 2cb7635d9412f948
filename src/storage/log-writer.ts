import { verifyCheckpoint, type Checkpoint } from '../core/log/checkpoint.ts'
import { LogError } from '../core/log/log-error.ts'
import { isSameHash, leafHash } from '../core/log/merkle-hash.ts'
import { verifierOfSpki, type NoteVerifier } from '../core/log/note-key.ts'
import { widthOfTile } from '../core/log/tile.ts'
import { tileWidth } from '../core/log/tile-path.ts'
import { TreeEdge, type FullTile } from '../core/log/tree-edge.ts'
import { signCheckpoint, type CheckpointKey } from './log-signer.ts'
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
    .values({
      id: is.id,
      size: is.size,
      checkpoint: is.checkpoint,
      root: is.root,
      signed_size: is.signed_size,
    })
    .onConflict(conflict =>
      conflict.column('id').doUpdateSet({
        size: is.size,
        checkpoint: is.checkpoint,
        root: is.root,
        signed_size: is.signed_size,
      }),
    ),
)

/** The checkpoint stays where it was: its key signs behind the transactions. */
const writeHead = statement<Omit<LogStateRow, 'signed_size'>>()((db, is) =>
  db
    .insertInto('log_state')
    .values({ id: is.id, size: is.size, checkpoint: is.checkpoint, root: is.root, signed_size: 0 })
    .onConflict(conflict => conflict.column('id').doUpdateSet({ size: is.size, root: is.root })),
)

/**
 * The one writer of the audit log: holds the right edge of the tree in memory, so that appending reads nothing. After
 * a transaction that did not commit, call {@link load} before anything else.
 */
export class LogWriter {
  readonly #origin: string
  readonly #signer: CheckpointKey
  readonly #verifier: NoteVerifier
  #full: FullTile[] = []
  #edge: TreeEdge = this.#emptyEdge()

  /** @param signer with `sign`, each append is signed in its transaction; without, by a `LogSealer` behind it */
  constructor(origin: string, signer: CheckpointKey) {
    this.#origin = origin
    this.#signer = signer
    this.#verifier = verifierOfSpki(origin, signer.publicKey)
  }

  /**
   * Takes the tree up from the database, or begins an empty one.
   *
   * @throws {StoreError} `store-log-key-mismatch`, `store-log-damaged`
   */
  async load(tx: Transaction): Promise<void> {
    const state = await findLogState(tx)
    if (state === undefined) {
      this.#edge = this.#emptyEdge()
      return await this.#sign(tx)
    }
    const isWhole = (await this.#isSigned(tx, state)) && (await this.#takeUp(tx, state))
    if (!isWhole) throw new StoreError('store-log-damaged', { found: `${state.size} entries` })
  }

  /** Whether what the checkpoint signs is what is there; without a checkpoint nothing is claimed. */
  async #isSigned(tx: Transaction, state: LogStateRow): Promise<boolean> {
    const isBehind = this.#signer.sign === undefined
    if (isBehind && state.checkpoint === '') return state.signed_size === 0
    const { size, rootHash } = this.#verify(state)
    if (size !== (state.signed_size ?? state.size) || size > state.size) return false
    if (!isBehind && size !== state.size) return false
    return isSameHash((await this.#readEdge(tx, size)).root(), rootHash)
  }

  async #takeUp(tx: Transaction, state: LogStateRow): Promise<boolean> {
    this.#edge = await this.#readEdge(tx, state.size)
    return state.root === null || isSameHash(this.#edge.root(), state.root)
  }

  /** Appends entries (canonical JSON), and signs what the log commits to with them where its key is at hand. */
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
    const root = this.#edge.root()
    const { sign } = this.#signer
    if (sign === undefined)
      return void (await tx.run(writeHead, { id: 1, size, checkpoint: '', root }))
    const checkpoint = await signCheckpoint(
      { origin: this.#origin, size, rootHash: root },
      this.#verifier,
      sign,
    )
    await tx.run(writeState, { id: 1, size, checkpoint, root, signed_size: size })
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
