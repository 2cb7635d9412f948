import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Other trust domains whose bundles are followed, each with the last one. */
export function federations(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('federations')
        .addColumn('trust_domain', types.text, c => c.primaryKey().notNull())
        .addColumn('id', types.text, c => c.notNull().unique())
        .addColumn('url', types.text, c => c.notNull())
        .addColumn('profile', types.text, c => c.notNull())
        .addColumn('endpoint_id', types.text)
        .addColumn('added_at', types.integer, c => c.notNull())
        .addColumn('added_by', types.text, c => c.notNull())
        .addColumn('bundle', types.text)
        .addColumn('bundle_sha256', types.text)
        .addColumn('bundle_sequence', types.integer, c => c.notNull())
        .addColumn('bundle_refresh_seconds', types.integer)
        .addColumn('bundle_kept_at', types.integer)
        .addColumn('failure', types.text)
        .addColumn('failed_at', types.integer)
      await types.finish(table, 'plain').execute()
    },
  }
}
