import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Which tokens a token in exchange descends from, so that it falls with each of them. */
export function tokenParents(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      const table = db.schema
        .createTable('token_parents')
        .addColumn('parent', types.text, c => c.notNull())
        .addColumn('list', types.integer, c => c.notNull())
        .addColumn('idx', types.integer, c => c.notNull())
        .addPrimaryKeyConstraint('token_parents_key', ['parent', 'list', 'idx'])
      await types.finish(table, 'clustered').execute()
      await db.schema.createIndex('token_parents_list').on('token_parents').column('list').execute()
      await db.schema.createIndex('tokens_jti').on('tokens').column('jti').execute()
    },
  }
}
