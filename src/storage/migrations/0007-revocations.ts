import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * Acts of revocation, what each took down, and what stays barred; which certificates and which firmware stood behind
 * each host; every token with its place in a status list; and what relying parties are told, in order.
 */
export function revocations(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await createRevocations(db, types)
      await extendCertificates(db, types)
      await extendSubjects(db, types)
      await createHostAnchors(db, types)
      await createStatusLists(db, types)
      await createEvents(db, types)
    },
  }
}

async function createRevocations(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('revocations')
    .addColumn('id', types.integer, c => c.primaryKey().notNull())
    .addColumn('kind', types.text, c => c.notNull())
    .addColumn('target', types.text, c => c.notNull())
    .addColumn('at', types.integer, c => c.notNull())
    .addColumn('reason_code', types.text, c => c.notNull())
    .addColumn('reason', types.text, c => c.notNull())
    .addColumn('author', types.text, c => c.notNull())
    .addColumn('vendor', types.text)
    .addColumn('lowest', types.text)
    .addColumn('highest', types.text)
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'revocations', ['kind', 'target'])
  await createPartialIndex(db, 'revocations', 'vendor', ['vendor'])
}

async function extendCertificates(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = (): ReturnType<typeof db.schema.alterTable> => db.schema.alterTable('certificates')
  await table().addColumn('revoked_at', types.integer).execute()
  await table().addColumn('revocation_reason', types.text).execute()
  await table().addColumn('revocation', types.integer).execute()
  // Nobody noted when those of before fell; at no time were they more than what was taken back.
  await sql`update certificates set revoked_at = not_before, revocation_reason = 'unspecified' where status = 'revoked'`.execute(
    db,
  )
  await createPartialIndex(db, 'certificates', 'revoked_at', [
    'authority_id',
    'not_after',
    'serial',
  ])
  await createPartialIndex(db, 'certificates', 'revocation', ['revocation'])
}

async function extendSubjects(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  for (const name of ['hosts', 'agents', 'operators']) {
    await db.schema.alterTable(name).addColumn('revocation', types.integer).execute()
    await createPartialIndex(db, name, 'revocation', ['revocation'])
  }
  await db.schema.alterTable('hosts').addColumn('firmware_vendor', types.text).execute()
  await db.schema.alterTable('hosts').addColumn('firmware_version', types.text).execute()
  await createIndex(db, 'hosts', ['firmware_vendor', 'firmware_version'])
  await createIndex(db, 'agents', ['class_name'])
}

async function createHostAnchors(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('host_anchors')
    .addColumn('fingerprint', types.text, c => c.notNull())
    .addColumn('host_id', types.text, c => c.notNull())
    .addPrimaryKeyConstraint('host_anchors_key', ['fingerprint', 'host_id'])
  await types.finish(table, 'clustered').execute()
  await createIndex(db, 'host_anchors', ['host_id'])
}

async function createStatusLists(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const lists = db.schema
    .createTable('status_lists')
    .addColumn('number', types.integer, c => c.primaryKey().notNull())
    .addColumn('name', types.text, c => c.notNull().unique())
    .addColumn('size', types.integer, c => c.notNull())
    .addColumn('version', types.integer, c => c.notNull())
    .addColumn('opened_at', types.integer, c => c.notNull())
    .addColumn('closes_at', types.integer, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
  await types.finish(lists, 'plain').execute()
  const tokens = db.schema
    .createTable('tokens')
    .addColumn('list', types.integer, c => c.notNull())
    .addColumn('idx', types.integer, c => c.notNull())
    .addColumn('jti', types.text, c => c.notNull())
    .addColumn('subject_id', types.text, c => c.notNull())
    .addColumn('binding', types.text, c => c.notNull())
    .addColumn('expires_at', types.integer, c => c.notNull())
    .addColumn('revoked_at', types.integer)
    .addColumn('revocation', types.integer)
    .addPrimaryKeyConstraint('tokens_key', ['list', 'idx'])
  await types.finish(tokens, 'clustered').execute()
  await createIndex(db, 'tokens', ['subject_id', 'expires_at'])
  await createPartialIndex(db, 'tokens', 'revoked_at', ['list', 'idx'])
  await createPartialIndex(db, 'tokens', 'revocation', ['revocation'])
}

async function createEvents(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const table = db.schema
    .createTable('revocation_events')
    .addColumn('sequence', types.integer, c => c.primaryKey().notNull())
    .addColumn('at', types.integer, c => c.notNull())
    .addColumn('event', types.text, c => c.notNull())
  await types.finish(table, 'plain').execute()
  await createIndex(db, 'revocation_events', ['at'])
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

/** Of the few rows that were revoked; the many others cost it nothing. */
async function createPartialIndex(
  db: Kysely<unknown>,
  table: string,
  present: string,
  columns: readonly string[],
): Promise<void> {
  await db.schema
    .createIndex(`${table}_${present}_set`)
    .on(table)
    .columns([...columns])
    .where(sql.ref(present), 'is not', null)
    .execute()
}
