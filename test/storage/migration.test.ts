import test from 'ava'
import { DatabaseSync } from 'node:sqlite'
import { Migrator } from 'kysely/migration'
import {
  admit,
  createFolder,
  enrollment,
  entry,
  host,
  logKey,
  logOrigin,
  now,
  openStore,
} from './fixtures.ts'
import { createKysely } from '../../src/storage/kysely-dialect.ts'
import { firstEnrolment } from '../../src/storage/migrations/0001-first-enrolment.ts'
import { sqliteTypes } from '../../src/storage/migrations/column-types.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

/** A database of the first version with a host and an open challenge. */
async function createFirstVersion(path: string): Promise<void> {
  const database = new DatabaseSync(path)
  const migrations = { '0001-first-enrolment': firstEnrolment(sqliteTypes) }
  const provider = { getMigrations: () => Promise.resolve(migrations) }
  await new Migrator({ db: createKysely(database), provider }).migrateToLatest()
  database.exec(`
    pragma application_id = 1098085241;
    insert into hosts values ('host-1', 'rack 4', 'endorsement-1', x'00', 'tpm-firmware', 'active',
      ${now}, ${now}, ${now}, 'ab', '{}', 'host-key-1', null, null);
    insert into client_keys values ('host-key-1', 'host', 'host-1', '{}', 0);
    insert into enrollments values ('old', 'rack 4', x'00', x'00', x'00', '[]', x'00', x'00', 1, 2, 0);
  `)
  database.close()
}

test('a host of the first version goes on with its next attestation', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createFirstVersion(path)
  const store = await openSqliteStore({ path, logOrigin, logKey })
  t.like(await store.hosts.find('host-1'), {
    name: 'rack 4',
    attestationId: null,
    platformState: null,
    stateVersion: 0,
  })
  t.is(await store.enrollments.take('old', now), 'unknown')
  t.is(await admit(store, { ...host, stateVersion: 2 }), 'state-changed')
  t.is(await admit(store, host), 'done')
  t.is(await store.enrollments.create(enrollment, entry('a')), 'done')
  await store.close()
  const again = await openStore(t, { path })
  t.like(await again.hosts.find('host-1'), { stateVersion: 1 })
})
