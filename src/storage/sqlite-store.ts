import { verifierOfPrivateKey, verifierOfSpki } from '../core/log/note-key.ts'
import type { Store } from '../ports/store.ts'
import { createStore } from './create-store.ts'
import { LogSealer } from './log-sealer.ts'
import type { CheckpointKey } from './log-signer.ts'
import { exactBytes } from './records/bytes.ts'
import { WorkerExecutor } from './worker-executor.ts'

/** How to open the embedded database. */
export interface SqliteStoreOptions {
  /** File, created with mode 0600 where there is none, or `:memory:`. */
  readonly path: string
  /** Name of the audit log, as in its checkpoints and its verifier key. */
  readonly logOrigin: string
  /**
   * Ed25519 key that signs the log's checkpoints: PKCS#8 DER, which signs within each transaction; or whoever signs with
   * a key elsewhere, behind the transactions. Without `sign` the checkpoint waits for one who can.
   */
  readonly logKey: Uint8Array | CheckpointKey
  /** Operations that may wait before further ones are refused with `store-overloaded`. */
  readonly maxWaiting?: number
}

/**
 * Opens the embedded store: SQLite in a thread of its own, group commit, one writer. Close it to let go of the file.
 *
 * @throws {StoreError} `store-unreachable`, `store-in-use`, `store-not-a-database`, `store-damaged`,
 * `store-foreign-database`, `store-schema-newer`, `store-log-key-mismatch`, `store-log-damaged`, `store-unavailable`
 * @throws {LogError} `note-key-malformed` for a key that is not Ed25519 or a name that no note can carry
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, logOrigin, maxWaiting = 4_096 } = options
  if (!(options.logKey instanceof Uint8Array))
    return await openBehind({ path, logOrigin, maxWaiting }, options.logKey)
  verifierOfPrivateKey(logOrigin, options.logKey)
  const logKey = { pkcs8: exactBytes(options.logKey) }
  return createStore(await WorkerExecutor.start({ path, logOrigin, logKey }, maxWaiting))
}

/** Entries are durable with their acts; who signs the checkpoint comes after. */
async function openBehind(
  { path, logOrigin, maxWaiting }: Omit<SqliteStoreOptions, 'logKey'>,
  { publicKey, sign }: CheckpointKey,
): Promise<Store> {
  const verifier = verifierOfSpki(logOrigin, publicKey)
  const logKey = { spki: exactBytes(publicKey) }
  const worker = await WorkerExecutor.start({ path, logOrigin, logKey }, maxWaiting ?? 4_096)
  if (sign === undefined) return createStore(worker)
  const sealer = new LogSealer(worker, verifier, sign)
  worker.onAppend(() => sealer.look())
  sealer.look()
  return createStore({
    execute: worker.execute.bind(worker),
    close: async () => {
      await sealer.finish()
      await worker.close()
    },
  })
}
