import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Just-in-time access: requests that agents opened, and what operators said to them. */
export function grantRequests(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await createTable(db, types)
      // Of one request one waits at a time, whoever writes.
      await db.schema
        .createIndex('grant_requests_waiting')
        .unique()
        .on('grant_requests')
        .column('digest')
        .where('status' as never, '=', 'pending')
        .execute()
      await createIndex(db, 'digest')
      await createIndex(db, 'agent_id')
      await createIndex(db, 'expires_at')
    },
  }
}

async function createIndex(db: Kysely<unknown>, column: string): Promise<void> {
  const index = db.schema.createIndex(`grant_requests_${column}`)
  await index.on('grant_requests').column(column).execute()
}

async function createTable(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('grant_requests')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('digest', types.text, c => c.notNull())
    .addColumn('agent_id', types.text, c => c.notNull().references('agents.id'))
    .addColumn('jkt', types.text, c => c.notNull())
    .addColumn('class_name', types.text, c => c.notNull())
    .addColumn('host_id', types.text, c => c.notNull())
    .addColumn('action', types.text, c => c.notNull())
    .addColumn('audience', types.text, c => c.notNull())
    .addColumn('audiences', types.text, c => c.notNull())
    .addColumn('scopes', types.text, c => c.notNull())
    .addColumn('details', types.text)
    .addColumn('details_digest', types.text)
    .addColumn('initiator', types.text, c => c.notNull())
    .addColumn('actors', types.text, c => c.notNull())
    .addColumn('may_act', types.text)
    .addColumn('policies', types.text, c => c.notNull())
    .addColumn('max_minutes', types.integer)
    .addColumn('requested_at', types.integer, c => c.notNull())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addColumn('decided_at', types.integer)
    .addColumn('decided_by', types.text)
    .addColumn('operator_id', types.text)
    .addColumn('reason', types.text)
    .addColumn('minutes', types.integer)
    .addColumn('uses', types.integer, c => c.notNull())
    .addColumn('used_at', types.integer)
  await types.finish(table, 'plain').execute()
}
