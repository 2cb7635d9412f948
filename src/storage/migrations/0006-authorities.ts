import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** The authorities of the trust domain, the sequence of their bundle, which host keeps which, and who signed what. */
export function authorities(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('authorities')
        .addColumn('id', types.text, c => c.primaryKey().notNull())
        .addColumn('chain', types.text, c => c.notNull())
        .addColumn('root_id', types.text, c => c.notNull())
        .addColumn('key_reference', types.text, c => c.notNull())
        .addColumn('state', types.text, c => c.notNull())
        .addColumn('bundle_sequence', types.integer, c => c.notNull())
        .addColumn('prepared_at', types.integer, c => c.notNull())
        .addColumn('prepared_by', types.text, c => c.notNull())
        .addColumn('activated_at', types.integer)
        .addColumn('changed_at', types.integer, c => c.notNull())
        .addColumn('changed_by', types.text, c => c.notNull())
        .addColumn('reason', types.text)
      await types.finish(table, 'plain').execute()
      await db.schema
        .createIndex('authorities_active')
        .unique()
        .on('authorities')
        .column('state')
        .where('state' as never, '=', 'active')
        .execute()
      const bundle = db.schema
        .createTable('bundle_state')
        .addColumn('id', types.integer, c => c.primaryKey().notNull())
        .addColumn('sequence', types.integer, c => c.notNull())
        .addColumn('keys_digest', types.text, c => c.notNull())
      await types.finish(bundle, 'plain').execute()
      const adoptions = db.schema
        .createTable('bundle_adoptions')
        .addColumn('host_id', types.text, c => c.primaryKey().notNull())
        .addColumn('sequence', types.integer, c => c.notNull())
        .addColumn('adopted_at', types.integer, c => c.notNull())
      await types.finish(adoptions, 'clustered').execute()
      await db.schema
        .alterTable('certificates')
        .addColumn('authority_id', types.text, c => c.notNull().defaultTo(''))
        .execute()
      await db.schema
        .createIndex('certificates_authority')
        .on('certificates')
        .column('authority_id')
        .execute()
    },
  }
}
