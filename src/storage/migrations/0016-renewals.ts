import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** What a renewal is held to: when hardware proved a key, of which boot a host is known, and which certificate it replaces. */
export function renewals(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable('client_keys').addColumn('proven_at', types.integer).execute()
      await db.schema.alterTable('hosts').addColumn('restart_seen_at', types.integer).execute()
      await db.schema.alterTable('challenges').addColumn('state_version', types.integer).execute()
      await db.schema.alterTable('certificates').addColumn('intended_at', types.integer).execute()
      await db.schema.alterTable('certificates').addColumn('tbs_sha256', types.text).execute()
      await db.schema.alterTable('certificates').addColumn('renewal', types.text).execute()
      await db.schema.alterTable('certificates').addColumn('encoded', types.bytes).execute()
      await db.schema
        .createIndex('certificates_renewal')
        .on('certificates')
        .column('renewal')
        .unique()
        .execute()
    },
  }
}
