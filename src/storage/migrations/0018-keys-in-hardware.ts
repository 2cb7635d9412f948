import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * Whether the key of an authority is there still; and how far the log is signed, where its key signs behind the
 * transactions: the root of all that is written, and the entries under the checkpoint.
 */
export function keysInHardware(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .alterTable('authorities')
        .addColumn('key_destroyed_at', types.integer)
        .execute()
      await db.schema.alterTable('log_state').addColumn('root', types.bytes).execute()
      await db.schema.alterTable('log_state').addColumn('signed_size', types.integer).execute()
    },
  }
}
