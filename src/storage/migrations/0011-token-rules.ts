import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * What classes may ask for beyond scopes, which audiences a relying party speaks for, and single tokens that were taken
 * back. Relying parties of before speak for no audience.
 */
export function tokenRules(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      for (const [table, column] of [
        ['agent_classes', 'authorization_details'],
        ['agent_classes', 'client_ids'],
        ['operators', 'audiences'],
      ] as const)
        await db.schema
          .alterTable(table)
          .addColumn(column, types.text, c => c.notNull().defaultTo('[]'))
          .execute()
      const revoked = db.schema
        .createTable('revoked_tokens')
        .addColumn('jti', types.text, c => c.primaryKey().notNull())
        .addColumn('expires_at', types.integer, c => c.notNull())
      await types.finish(revoked, 'clustered').execute()
    },
  }
}
