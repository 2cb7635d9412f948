import type { HsmKeyStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeHsmKey, parseHsmKey } from './records/hsm-key.ts'

/** The `HsmKeyStore` of any database. */
export function createHsmKeyStore(db: Executor): HsmKeyStore {
  return {
    add: async (key, entry) => await db.execute('addHsmKey', encodeHsmKey(key), encodeEntry(entry)),
    list: async () => (await db.execute('listHsmKeys')).map(parseHsmKey),
    retire: async (jkt, { at, by, reason }, entry) =>
      await db.execute('retireHsmKey', jkt, { at, by, reason }, encodeEntry(entry)),
  }
}
