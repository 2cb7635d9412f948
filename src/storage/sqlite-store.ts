import { verifierOfPrivateKey } from '../core/log/note-key.ts'
import type { Store } from '../ports/store.ts'
import { createStore } from './create-store.ts'
import { exactBytes } from './records/bytes.ts'
import { WorkerExecutor } from './worker-executor.ts'

/** How to open the embedded database. */
export interface SqliteStoreOptions {
  /** File, created with mode 0600 where there is none, or `:memory:`. */
  readonly path: string
  /** Name of the audit log, as in its checkpoints and its verifier key. */
  readonly logOrigin: string
  /** Ed25519 key that signs the log's checkpoints, PKCS#8 DER. */
  readonly logKey: Uint8Array
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
  verifierOfPrivateKey(logOrigin, options.logKey)
  const logKey = exactBytes(options.logKey)
  return createStore(await WorkerExecutor.start({ path, logOrigin, logKey }, maxWaiting))
}
