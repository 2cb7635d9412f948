import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** The digest of the signed Attestation Result of a host, which its certificates name. */
export function issuance(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable('hosts').addColumn('ear_sha256', types.text).execute()
    },
  }
}
