import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * Anchors as versioned sets: proposed by an import, approved by an operator, retired and kept. Those that were admitted
 * before are the first set.
 */
export function anchorSets(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = (): ReturnType<typeof db.schema.alterTable> => db.schema.alterTable('anchors')
      await table()
        .addColumn('kind', types.text, c => c.notNull().defaultTo('root'))
        .execute()
      await table()
        .addColumn('status', types.text, c => c.notNull().defaultTo('active'))
        .execute()
      await table()
        .addColumn('source', types.text, c => c.notNull().defaultTo(''))
        .execute()
      await table()
        .addColumn('not_after', types.integer, c => c.notNull().defaultTo(0))
        .execute()
      await table()
        .addColumn('since_version', types.integer, c => c.defaultTo(1))
        .execute()
      await table().addColumn('until_version', types.integer).execute()
      await table().addColumn('approved_at', types.integer).execute()
      await table().addColumn('approved_by', types.text).execute()
      await table().addColumn('retired_at', types.integer).execute()
      await table().addColumn('retired_by', types.text).execute()
      await table().addColumn('retirement_reason', types.text).execute()
    },
  }
}
