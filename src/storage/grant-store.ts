import type { GrantRequestStore } from '../ports/grant-requests.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { parseGrantRequest } from './records/grant-request.ts'

/** The `GrantRequestStore` of any database. */
export function createGrantRequestStore(db: Executor): GrantRequestStore {
  return {
    find: async id => {
      const row = await db.execute('findGrantRequest', id)
      return row && parseGrantRequest(row)
    },
    findOpen: async (digest, now) => {
      const row = await db.execute('findOpenGrantRequest', digest, now)
      return row && parseGrantRequest(row)
    },
    list: async limit => (await db.execute('listGrantRequests', limit)).map(parseGrantRequest),
    decide: async (id, { operatorJkt, ...decision }, entry) => {
      const { status, at, by, operatorId, reason, expiresAt, minutes } = decision
      const decided = {
        id,
        status,
        decided_at: at,
        decided_by: by,
        operator_id: operatorId,
        reason,
        expires_at: expiresAt,
        minutes,
      }
      return await db.execute('decideGrantRequest', decided, operatorJkt, at, encodeEntry(entry))
    },
    withdraw: async (id, { at, by, reason }, entry) =>
      await db.execute('withdrawGrantRequest', id, at, by, reason, encodeEntry(entry)),
  }
}
