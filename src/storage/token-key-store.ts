import type { TokenKeyStore } from '../ports/token-key.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeTokenKey, parseTokenKey } from './records/token-key.ts'

/** The `TokenKeyStore` of any database. */
export function createTokenKeyStore(db: Executor): TokenKeyStore {
  return {
    list: async () => (await db.execute('listTokenKeys')).map(parseTokenKey),
    adopt: async (key, entry) =>
      await db.execute('adoptTokenKey', encodeTokenKey(key), encodeEntry(entry)),
    rotate: async (key, rotation, entry) =>
      await db.execute('rotateTokenKey', encodeTokenKey(key), rotation, encodeEntry(entry)),
    hasten: async (kid, rotation, entry) =>
      await db.execute('hastenTokenKey', kid, rotation, encodeEntry(entry)),
    withdraw: async (kid, withdrawal, successor, entry) => {
      const next = successor === undefined ? null : encodeTokenKey(successor)
      return await db.execute('withdrawTokenKey', kid, withdrawal, next, encodeEntry(entry))
    },
  }
}
