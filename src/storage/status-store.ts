import type { StatusStore } from '../ports/status-store.ts'
import type { Executor } from './executor.ts'

/** The `StatusStore` of any database. */
export function createStatusStore(db: Executor): StatusStore {
  return {
    open: async ({ name, size, openedAt, closesAt, expiresAt }) =>
      await db.execute('openStatusList', {
        name,
        size,
        opened_at: openedAt,
        closes_at: closesAt,
        expires_at: expiresAt,
      }),
    read: async (name, now) => {
      const found = await db.execute('readStatusList', name, now)
      if (found === undefined) return undefined
      const { size, version, expires_at: expiresAt } = found.list
      return { size, version, expiresAt, revoked: found.revoked }
    },
    version: async (name, now) => await db.execute('findStatusVersion', name, now),
    list: async now => await db.execute('listStatusLists', now),
  }
}
