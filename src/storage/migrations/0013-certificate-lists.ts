import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Revocation lists of our own: of each place the number that was set aside last, and the list that is published. */
export function certificateLists(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('certificate_lists')
        .addColumn('authority_id', types.text, c => c.notNull())
        .addColumn('shard', types.integer, c => c.notNull())
        .addColumn('last_number', types.integer, c => c.notNull())
        .addColumn('number', types.integer, c => c.notNull())
        .addColumn('this_update', types.integer, c => c.notNull())
        .addColumn('next_update', types.integer, c => c.notNull())
        .addColumn('revoked', types.integer, c => c.notNull())
        .addColumn('counted', types.integer, c => c.notNull())
        .addColumn('sha256', types.text, c => c.notNull())
        .addColumn('bytes', types.bytes, c => c.notNull())
        .addPrimaryKeyConstraint('certificate_lists_key', ['authority_id', 'shard'])
      await types.finish(table, 'plain').execute()
      await db.schema
        .createIndex('certificates_not_before')
        .on('certificates')
        .columns(['not_before', 'serial'])
        .execute()
    },
  }
}
