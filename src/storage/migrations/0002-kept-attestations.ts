import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * Evidence and verdicts, the state of a platform across its attestations, versions of the Appraisal Policy, and EKs
 * without certificate. Challenges that are open begin again: they live for minutes.
 */
export function keptAttestations(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await extendHosts(db, types)
      await extendCertificates(db, types)
      await recreateEnrollments(db, types)
      await createAttestations(db, types)
      await createPolicies(db, types)
      await createEndorsements(db, types)
    },
  }
}

async function extendHosts(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema.alterTable('hosts').addColumn('attestation_id', types.text).execute()
  await db.schema.alterTable('hosts').addColumn('platform_state', types.text).execute()
  await db.schema
    .alterTable('hosts')
    .addColumn('state_version', types.integer, c => c.notNull().defaultTo(0))
    .execute()
  await db.schema.createIndex('hosts_name').on('hosts').column('name').execute()
}

async function extendCertificates(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema.alterTable('certificates').addColumn('attestation_id', types.text).execute()
}

async function recreateEnrollments(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema.dropTable('enrollments').execute()
  const table = db.schema
    .createTable('enrollments')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('name', types.text, c => c.notNull())
    .addColumn('nonce', types.bytes, c => c.notNull())
    .addColumn('secret', types.bytes)
    .addColumn('endorsement_certificate', types.bytes)
    .addColumn('endorsement_chain', types.text, c => c.notNull())
    .addColumn('endorsement_public', types.bytes, c => c.notNull())
    .addColumn('attestation_public', types.bytes, c => c.notNull())
    .addColumn('pcrs', types.text, c => c.notNull())
    .addColumn('host_state_version', types.integer, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addColumn('taken', types.integer, c => c.notNull())
  await types.finish(table, 'plain').execute()
  await db.schema
    .createIndex('enrollments_expires_at')
    .on('enrollments')
    .column('expires_at')
    .execute()
}

async function createAttestations(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('attestations')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('sequence', types.integer, c => c.notNull().unique())
    .addColumn('host_id', types.text)
    .addColumn('enrollment_id', types.text, c => c.notNull())
    .addColumn('format', types.text, c => c.notNull())
    .addColumn('evidence', types.bytes, c => c.notNull())
    .addColumn('evidence_sha256', types.text, c => c.notNull())
    .addColumn('context', types.text, c => c.notNull())
    .addColumn('verdict', types.text, c => c.notNull())
    .addColumn('ear', types.text, c => c.notNull())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('policy_id', types.text, c => c.notNull())
    .addColumn('appraised_at', types.integer, c => c.notNull())
    .addColumn('expires_at', types.integer)
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'attestations', ['host_id', 'sequence'])
  await createIndex(db, 'attestations', ['expires_at', 'sequence'])
}

async function createPolicies(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const policies = db.schema
    .createTable('policies')
    .addColumn('version', types.integer, c => c.primaryKey().notNull())
    .addColumn('id', types.text, c => c.notNull())
    .addColumn('document', types.text, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('created_by', types.text, c => c.notNull())
  await types.finish(policies, 'plain').execute()
  const activations = db.schema
    .createTable('policy_activations')
    .addColumn('sequence', types.integer, c => c.primaryKey().notNull())
    .addColumn('version', types.integer, c => c.notNull().references('policies.version'))
    .addColumn('activated_at', types.integer, c => c.notNull())
    .addColumn('activated_by', types.text, c => c.notNull())
    .addColumn('jws', types.text)
  await types.finish(activations, 'plain').execute()
}

async function createEndorsements(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('endorsements')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('host_name', types.text)
    .addColumn('first_seen', types.integer, c => c.notNull())
    .addColumn('decided_at', types.integer)
    .addColumn('decided_by', types.text)
  await types.finish(table, 'clustered').execute()
  await createIndex(db, 'endorsements', ['status'])
}

async function createIndex(
  db: Kysely<unknown>,
  table: string,
  columns: readonly string[],
): Promise<void> {
  const name = `${table}_${columns.join('_')}`
  await db.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .execute()
}
