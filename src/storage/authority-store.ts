import type { AuthorityStore } from '../ports/authority.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeAuthority, parseAdoption, parseAuthority } from './records/authority.ts'

/** The `AuthorityStore` of any database. */
export function createAuthorityStore(db: Executor): AuthorityStore {
  return {
    read: async () => {
      const { authorities, sequence } = await db.execute('readAuthorities')
      return { authorities: authorities.map(parseAuthority), bundleSequence: sequence }
    },
    adopt: async (authority, entry) =>
      await db.execute('adoptAuthority', encodeAuthority(authority), encodeEntry(entry)),
    prepare: async (authority, entry) =>
      await db.execute('prepareAuthority', encodeAuthority(authority), encodeEntry(entry)),
    activate: async (id, change, entry) =>
      await db.execute('activateAuthority', id, change, encodeEntry(entry)),
    taint: async (id, change, entry) =>
      await db.execute('taintAuthority', id, change, encodeEntry(entry)),
    revoke: async (id, change, { type, time, actor, subject, detail }) =>
      await db.execute('revokeAuthority', id, change, { type, time, actor, subject, detail }),
    destroyKey: async (id, change, entry) =>
      await db.execute('destroyAuthorityKey', id, change, encodeEntry(entry)),
    recordAdoption: async (hostId, { sequence, at }, entry) =>
      await db.execute('recordAdoption', hostId, sequence, at, encodeEntry(entry)),
    listAdoptions: async now => (await db.execute('listAdoptions', now)).map(parseAdoption),
    publishKeys: async (digest, entry) =>
      await db.execute('publishKeys', digest, encodeEntry(entry)),
  }
}
