import type { FederationStore } from '../ports/federation.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeFederation, parseFederation, parseFederationSummary } from './records/federation.ts'

/** The `FederationStore` of any database. */
export function createFederationStore(db: Executor): FederationStore {
  return {
    add: async (federation, entry) =>
      await db.execute('addFederation', encodeFederation(federation), encodeEntry(entry)),
    list: async () => (await db.execute('listFederations')).map(parseFederationSummary),
    find: async trustDomain => {
      const row = await db.execute('findFederation', trustDomain)
      return row && parseFederation(row)
    },
    remove: async (trustDomain, entry) =>
      await db.execute('removeFederation', trustDomain, encodeEntry(entry)),
    keepBundle: async (id, followed, entry) =>
      await db.execute('keepFederatedBundle', id, followed, encodeEntry(entry)),
    keepFailure: async (id, { failure, at }, entry) =>
      await db.execute('keepFederationFailure', id, failure, at, encodeEntry(entry)),
  }
}
