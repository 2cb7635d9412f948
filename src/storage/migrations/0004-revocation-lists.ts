import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** What issuers of endorsement key certificates revoked: of each issuer and part the newest word. */
export function revocationLists(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('revocation_lists')
        .addColumn('slot', types.text, c => c.primaryKey().notNull())
        .addColumn('id', types.text, c => c.notNull().unique())
        .addColumn('kind', types.text, c => c.notNull())
        .addColumn('issuer', types.text, c => c.notNull())
        .addColumn('issuer_fingerprint', types.text, c => c.notNull())
        .addColumn('scope', types.text, c => c.notNull())
        .addColumn('number', types.text, c => c.notNull())
        .addColumn('this_update', types.integer, c => c.notNull())
        .addColumn('next_update', types.integer)
        .addColumn('revoked', types.integer, c => c.notNull())
        .addColumn('bytes', types.bytes, c => c.notNull())
        .addColumn('source', types.text, c => c.notNull())
        .addColumn('added_at', types.integer, c => c.notNull())
        .addColumn('added_by', types.text, c => c.notNull())
      await types.finish(table, 'plain').execute()
    },
  }
}
