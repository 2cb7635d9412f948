import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/** Everything of the main path: anchors, clients, challenges, certificates, replay keys, the log. */
export function firstEnrolment(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await createAnchors(db, types)
      await createOperators(db, types)
      await createClientKeys(db, types)
      await createEnrollments(db, types)
      await createHosts(db, types)
      await createAgentClasses(db, types)
      await createAgents(db, types)
      await createChallenges(db, types)
      await createCertificates(db, types)
      await createReplayKeys(db, types)
      await createLog(db, types)
      await createHealth(db, types)
    },
  }
}

async function createAnchors(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('anchors')
    .addColumn('fingerprint', types.text, c => c.primaryKey().notNull())
    .addColumn('certificate', types.bytes, c => c.notNull())
    .addColumn('vendor', types.text, c => c.notNull())
    .addColumn('name', types.text, c => c.notNull())
    .addColumn('assurance', types.text, c => c.notNull())
    .addColumn('added_at', types.integer, c => c.notNull())
    .addColumn('added_by', types.text, c => c.notNull())
  await types.finish(table, 'plain').execute()
}

async function createOperators(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('operators')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('name', types.text, c => c.notNull())
    .addColumn('role', types.text, c => c.notNull())
    .addColumn('key_protection', types.text, c => c.notNull())
    .addColumn('jkt', types.text, c => c.notNull().unique())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('created_by', types.text, c => c.notNull())
  await types.finish(table, 'plain').execute()
}

async function createClientKeys(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('client_keys')
    .addColumn('jkt', types.text, c => c.primaryKey().notNull())
    .addColumn('kind', types.text, c => c.notNull())
    .addColumn('subject_id', types.text, c => c.notNull())
    .addColumn('jwk', types.text, c => c.notNull())
    .addColumn('retired', types.integer, c => c.notNull())
  await types.finish(table, 'clustered').execute()
}

async function createEnrollments(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('enrollments')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('name', types.text, c => c.notNull())
    .addColumn('nonce', types.bytes, c => c.notNull())
    .addColumn('secret', types.bytes)
    .addColumn('endorsement_certificate', types.bytes, c => c.notNull())
    .addColumn('endorsement_chain', types.text, c => c.notNull())
    .addColumn('endorsement_public', types.bytes, c => c.notNull())
    .addColumn('attestation_public', types.bytes, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addColumn('taken', types.integer, c => c.notNull())
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'enrollments', ['expires_at'])
}

async function createHosts(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('hosts')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('name', types.text, c => c.notNull())
    .addColumn('endorsement_id', types.text, c => c.notNull().unique())
    .addColumn('attestation_public', types.bytes, c => c.notNull())
    .addColumn('assurance', types.text, c => c.notNull())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('enrolled_at', types.integer, c => c.notNull())
    .addColumn('attested_at', types.integer, c => c.notNull())
    .addColumn('attestation_expires_at', types.integer, c => c.notNull())
    .addColumn('evidence_sha256', types.text, c => c.notNull())
    .addColumn('attestation_result', types.text, c => c.notNull())
    .addColumn('jkt', types.text, c => c.notNull().unique())
    .addColumn('revoked_at', types.integer)
    .addColumn('revocation_reason', types.text)
  await types.finish(table, 'plain').execute()
}

async function createAgentClasses(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('agent_classes')
    .addColumn('name', types.text, c => c.primaryKey().notNull())
    .addColumn('audiences', types.text, c => c.notNull())
    .addColumn('scopes', types.text, c => c.notNull())
    .addColumn('hosts', types.text, c => c.notNull())
    .addColumn('token_lifetime_seconds', types.integer, c => c.notNull())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('created_by', types.text, c => c.notNull())
  await types.finish(table, 'plain').execute()
}

async function createAgents(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('agents')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('class_name', types.text, c => c.notNull().references('agent_classes.name'))
    .addColumn('host_id', types.text, c => c.notNull().references('hosts.id'))
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('jkt', types.text, c => c.unique())
    .addColumn('created_at', types.integer, c => c.notNull())
    .addColumn('created_by', types.text, c => c.notNull())
    .addColumn('revoked_at', types.integer)
    .addColumn('revocation_reason', types.text)
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'agents', ['host_id'])
}

async function createChallenges(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('challenges')
    .addColumn('id', types.text, c => c.primaryKey().notNull())
    .addColumn('purpose', types.text, c => c.notNull())
    .addColumn('subject', types.text, c => c.notNull())
    .addColumn('nonce', types.bytes, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addColumn('taken', types.integer, c => c.notNull())
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'challenges', ['expires_at'])
}

async function createCertificates(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('certificates')
    .addColumn('serial', types.text, c => c.primaryKey().notNull())
    .addColumn('subject_kind', types.text, c => c.notNull())
    .addColumn('subject_id', types.text, c => c.notNull())
    .addColumn('spiffe_id', types.text, c => c.notNull())
    .addColumn('jkt', types.text, c => c.notNull())
    .addColumn('not_before', types.integer, c => c.notNull())
    .addColumn('not_after', types.integer, c => c.notNull())
    .addColumn('status', types.text, c => c.notNull())
    .addColumn('x5t', types.text, c => c.unique())
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'certificates', ['subject_id', 'not_after'])
  await db.schema
    .createIndex('certificates_intended')
    .on('certificates')
    .column('serial')
    .where(sql.ref('status'), '=', 'intended')
    .execute()
}

async function createReplayKeys(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('replay_keys')
    .addColumn('key', types.text, c => c.primaryKey().notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
  await types.finish(table, 'clustered').execute()
  await createIndex(db, 'replay_keys', ['expires_at'])
}

async function createLog(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const entries = db.schema
    .createTable('log_entries')
    .addColumn('position', types.integer, c => c.primaryKey().notNull())
    .addColumn('entry', types.bytes, c => c.notNull())
  await types.finish(entries, 'plain').execute()
  const tiles = db.schema
    .createTable('log_tiles')
    .addColumn('level', types.integer, c => c.notNull())
    .addColumn('tile_index', types.integer, c => c.notNull())
    .addColumn('hashes', types.bytes, c => c.notNull())
    .addColumn('root', types.bytes, c => c.notNull())
    .addPrimaryKeyConstraint('log_tiles_key', ['level', 'tile_index'])
  await types.finish(tiles, 'plain').execute()
  const state = db.schema
    .createTable('log_state')
    .addColumn('id', types.integer, c => c.primaryKey().notNull())
    .addColumn('size', types.integer, c => c.notNull())
    .addColumn('checkpoint', types.text, c => c.notNull())
  await types.finish(state, 'plain').execute()
}

async function createHealth(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('health')
    .addColumn('id', types.integer, c => c.primaryKey().notNull())
    .addColumn('pings', types.integer, c => c.notNull())
  await types.finish(table, 'plain').execute()
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
