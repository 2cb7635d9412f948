import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * Authorization: policy sets in their versions, what operators wrote down of hosts and classes, risk scores. Classes of
 * before belong to nobody, to no environment of their own, and handle what is internal.
 */
export function authorization(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await createPolicyTables(db, types)
      await createMarkTables(db, types)
      await addClassColumns(db, types)
    },
  }
}

async function createPolicyTables(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const policies = db.schema
    .createTable('authorization_policies')
    .addColumn('version', types.integer, c => c.primaryKey().notNull())
    .addColumn('id', types.text, c => c.notNull())
    .addColumn('document', types.text, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('created_by', types.text, c => c.notNull())
  await types.finish(policies, 'plain').execute()
  const activations = db.schema
    .createTable('authorization_activations')
    .addColumn('sequence', types.integer, c => c.primaryKey().notNull())
    .addColumn('version', types.integer, c =>
      c.notNull().references('authorization_policies.version'),
    )
    .addColumn('activated_at', types.integer, c => c.notNull())
    .addColumn('activated_by', types.text, c => c.notNull())
    .addColumn('jws', types.text)
  await types.finish(activations, 'plain').execute()
}

async function createMarkTables(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const labels = db.schema
    .createTable('host_labels')
    .addColumn('host_id', types.text, c => c.primaryKey().notNull())
    .addColumn('labels', types.text, c => c.notNull())
    .addColumn('set_at', types.integer, c => c.notNull())
    .addColumn('set_by', types.text, c => c.notNull())
  await types.finish(labels, 'clustered').execute()
  const risks = db.schema
    .createTable('risk_scores')
    .addColumn('kind', types.text, c => c.notNull())
    .addColumn('subject_id', types.text, c => c.notNull())
    .addColumn('score', types.integer, c => c.notNull())
    .addColumn('reason', types.text, c => c.notNull())
    .addColumn('set_at', types.integer, c => c.notNull())
    .addColumn('set_by', types.text, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addPrimaryKeyConstraint('risk_scores_subject', ['kind', 'subject_id'])
  await types.finish(risks, 'clustered').execute()
}

async function addClassColumns(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = (): ReturnType<typeof db.schema.alterTable> => db.schema.alterTable('agent_classes')
  await table().addColumn('owner', types.text).execute()
  await table()
    .addColumn('environment', types.text, c => c.notNull().defaultTo('default'))
    .execute()
  await table()
    .addColumn('sensitivity', types.text, c => c.notNull().defaultTo('internal'))
    .execute()
}
