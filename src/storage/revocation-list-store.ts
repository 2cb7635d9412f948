import type { RevocationListKind } from '../ports/records.ts'
import type { RevocationListStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeRevocationList, parseRevocationListSummary } from './records/revocation-list.ts'

/** The `RevocationListStore` of any database. */
export function createRevocationListStore(db: Executor): RevocationListStore {
  return {
    put: async (list, entry) =>
      await db.execute('putRevocationList', encodeRevocationList(list), encodeEntry(entry)),
    list: async () => (await db.execute('listRevocationLists')).map(parseRevocationListSummary),
    current: async known => {
      const rows = await db.execute('currentRevocationLists', ...known)
      return rows.map(row => ({ ...row, kind: row.kind as RevocationListKind }))
    },
  }
}
