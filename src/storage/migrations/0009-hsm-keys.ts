import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Hosts with an HSM: what an enrolment is for, and the attestation keys that operators registered. */
export function hsmKeys(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable('enrollments').addColumn('hsm', types.text).execute()
      const table = db.schema
        .createTable('hsm_keys')
        .addColumn('jkt', types.text, c => c.primaryKey().notNull())
        .addColumn('jwk', types.text, c => c.notNull())
        .addColumn('name', types.text, c => c.notNull())
        .addColumn('manufacturer', types.text, c => c.notNull())
        .addColumn('model', types.text, c => c.notNull())
        .addColumn('token_id', types.text, c => c.notNull())
        .addColumn('registered_at', types.integer, c => c.notNull())
        .addColumn('registered_by', types.text, c => c.notNull())
        .addColumn('retired_at', types.integer)
        .addColumn('retired_by', types.text)
        .addColumn('retirement_reason', types.text)
      await types.finish(table, 'plain').execute()
    },
  }
}
