import type { DataDirectory } from './data-directory.ts'
import { logKeyOf } from './log-key.ts'
import type { Store } from './ports/store.ts'
import { openSqliteStore } from './storage/sqlite-store.ts'

/**
 * Works on the store of a data directory beside no service: the database is for one process alone.
 *
 * @throws StoreError `store-in-use` while the service runs
 */
export async function withLocalStore<T>(
  { config, databasePath, logKey }: DataDirectory,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openSqliteStore({
    path: databasePath,
    logOrigin: `${new URL(config.issuer).host}/audit`,
    // What a key in a token is to sign waits for the next start of the service.
    logKey: logKeyOf({ config, logKey }),
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
