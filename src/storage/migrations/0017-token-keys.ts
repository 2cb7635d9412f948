import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** The keys that sign tokens, with the times between which each signs and is published. */
export function tokenKeys(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('token_keys')
        .addColumn('kid', types.text, c => c.primaryKey().notNull())
        .addColumn('public_key', types.bytes, c => c.notNull())
        .addColumn('key_reference', types.text, c => c.notNull())
        .addColumn('created_at', types.integer, c => c.notNull())
        .addColumn('created_by', types.text, c => c.notNull())
        .addColumn('signs_from', types.integer, c => c.notNull())
        .addColumn('published_until', types.integer)
        .addColumn('withdrawn_at', types.integer)
        .addColumn('withdrawn_by', types.text)
        .addColumn('reason', types.text)
      await types.finish(table, 'plain').execute()
    },
  }
}
