import { verifyCheckpoint, type Checkpoint } from './checkpoint.ts'
import { parseEntryBundle } from './entry-bundle.ts'
import { Frontier } from './frontier.ts'
import { LogError, type LogErrorCode } from './log-error.ts'
import { hashSize, isSameHash, leafHash } from './merkle-hash.ts'
import type { NoteVerifier } from './note-key.ts'
import { foldHashes } from './subtree.ts'
import { splitTile, widthOfTile } from './tile.ts'
import { encodeTilePath, tileWidth, type TileAddress } from './tile-path.ts'
import { perfectRoots } from './tree-edge.ts'

/** Fetches one file of the log by its path below the log's prefix; undefined where there is none. */
export type ReadLog = (path: string) => Promise<Uint8Array | undefined>

/** What {@link verifyLog} found to hold. */
export interface VerifiedLog extends Checkpoint {
  /** Entries read and hashed: all of them. */
  readonly entries: number
}

export interface VerifyLogOptions {
  readonly read: ReadLog
  /** The log's own key, from a source that is not the log. */
  readonly verifier: NoteVerifier
  /** A checkpoint (signed note) of this log that was trusted earlier: the log must extend it. */
  readonly trusted?: string
  /** Hears of each entry, in order, once its tile has been checked against the checkpoint. */
  readonly onEntry?: (entry: Uint8Array, index: number) => void
}

/**
 * Recomputes a whole log, entries to root, and compares it with the checkpoint that the log signs. Tiles are checked
 * from the root down before what lies below them is read, so a refusal names the file at fault. Memory is constant
 * but for a tile per level.
 *
 * @throws {LogError} `note-malformed`, `checkpoint-malformed`, `checkpoint-origin`, `checkpoint-signature`,
 * `checkpoint-rollback`, `checkpoint-inconsistent`, `root-mismatch`, `tile-missing`, `tile-mismatch`,
 * `bundle-missing`, `bundle-malformed`, `bundle-mismatch`
 */
export async function verifyLog(options: VerifyLogOptions): Promise<VerifiedLog> {
  const checkpoint = await readCheckpoint(options)
  const trusted = readTrusted(options, checkpoint)
  const edge = await readEdge(options.read, checkpoint)
  const tree = new RecomputedTree(options, trusted)
  for (const level of Array.from(edge.keys()).toReversed())
    await tree.descend(edgeAddress(level, checkpoint.size), edge[level] ?? [])
  tree.finish(checkpoint)
  return { ...checkpoint, entries: tree.size }
}

async function readCheckpoint({ read, verifier }: VerifyLogOptions): Promise<Checkpoint> {
  const note = await read('checkpoint')
  if (note === undefined) throw new LogError('note-malformed', { found: 'no checkpoint' })
  return verifyCheckpoint(decodeUtf8(note), verifier)
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new LogError('note-malformed', { cause })
  }
}

function readTrusted(options: VerifyLogOptions, current: Checkpoint): Checkpoint | undefined {
  if (options.trusted === undefined) return undefined
  const trusted = verifyCheckpoint(options.trusted, options.verifier)
  if (trusted.size > current.size)
    throw new LogError('checkpoint-rollback', {
      expected: `${trusted.size} entries or more`,
      found: `${current.size} entries`,
    })
  return trusted
}

/** The partial tile of each level, level 0 first; together they have the root, or the log is refused. */
async function readEdge(read: ReadLog, { size, rootHash }: Checkpoint): Promise<Uint8Array[][]> {
  const edge: Uint8Array[] = []
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    const address = edgeAddress(level, size)
    edge.push(address.width === 0 ? new Uint8Array(0) : await readTile(read, address))
  }
  if (!isSameHash(Frontier.restore(size, perfectRoots(edge)).root(), rootHash))
    throw new LogError('root-mismatch')
  return edge.map(splitTile)
}

function edgeAddress(level: number, size: number): TileAddress & { readonly level: number } {
  const index = Math.floor(size / tileWidth ** (level + 1))
  return { level, index, width: widthOfTile(level, index, size) }
}

async function readTile(read: ReadLog, address: TileAddress): Promise<Uint8Array> {
  const bytes = await readFile(read, address, 'tile-missing')
  if (bytes.length !== address.width * hashSize) throw mismatch('tile-mismatch', address)
  return bytes
}

async function readFile(
  read: ReadLog,
  address: TileAddress,
  missing: LogErrorCode,
): Promise<Uint8Array> {
  const bytes = await read(encodeTilePath(address))
  if (bytes === undefined) throw mismatch(missing, address)
  return bytes
}

function mismatch(code: LogErrorCode, address: TileAddress): LogError {
  return new LogError(code, { found: encodeTilePath(address) })
}

/** The tree as the entries themselves make it, leaf by leaf from the left. */
class RecomputedTree {
  readonly #frontier = new Frontier()
  readonly #options: VerifyLogOptions
  readonly #trusted: Checkpoint | undefined

  constructor(options: VerifyLogOptions, trusted: Checkpoint | undefined) {
    this.#options = options
    this.#trusted = trusted
    this.#compareTrusted()
  }

  get size(): number {
    return this.#frontier.size
  }

  /** Goes through all entries below a tile whose hashes are known to be the log's. */
  async descend(
    address: TileAddress & { readonly level: number },
    hashes: readonly Uint8Array[],
  ): Promise<void> {
    if (hashes.length === 0) return
    if (address.level === 0) return await this.#readEntries(address, hashes)
    for (const [column, hash] of hashes.entries()) {
      const index = address.index * tileWidth + column
      const below = { level: address.level - 1, index, width: tileWidth }
      const tile = splitTile(await readTile(this.#options.read, below))
      if (!isSameHash(foldHashes(tile), hash)) throw mismatch('tile-mismatch', below)
      await this.descend(below, tile)
    }
  }

  async #readEntries(tile: TileAddress, leaves: readonly Uint8Array[]): Promise<void> {
    const address: TileAddress = { ...tile, level: 'entries' }
    const bundle = await readFile(this.#options.read, address, 'bundle-missing')
    for (const [column, entry] of parseEntryBundle(bundle, address.width).entries()) {
      const leaf = leafHash(entry)
      if (!isSameHash(leaf, leaves[column]!)) throw mismatch('bundle-mismatch', address)
      this.#options.onEntry?.(entry, this.size)
      this.#frontier.append(leaf)
      this.#compareTrusted()
    }
  }

  #compareTrusted(): void {
    const trusted = this.#trusted
    if (trusted?.size === this.size && !isSameHash(this.#frontier.root(), trusted.rootHash))
      throw new LogError('checkpoint-inconsistent', { found: `at ${trusted.size} entries` })
  }

  /** The last comparison, of the whole. */
  finish({ size, rootHash }: Checkpoint): void {
    // Each leaf was held against a tile below the root already; a log that fails here would be a bug of ours.
    /* c8 ignore next 2 */
    if (this.size !== size || !isSameHash(this.#frontier.root(), rootHash))
      throw new LogError('root-mismatch')
  }
}
