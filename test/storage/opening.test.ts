import test from 'ava'
import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { createFolder, createLogKey, entry, logKey, logOrigin, openStore } from './fixtures.ts'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

/** A closed database with a few entries. */
async function createDatabase(path: string, entries = 3): Promise<void> {
  const store = await openSqliteStore({ path, logOrigin, logKey })
  for (let n = 0; n < entries; n += 1) await store.audit.append(entry('test'))
  await store.close()
}

function edit(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

test('nobody but the owner may read what the store creates', async t => {
  const folder = `${createFolder(t)}/new/deep`
  const store = await openStore(t, { path: `${folder}/assay.db` })
  await store.ping()
  t.is(modeOf(folder), '700')
  t.is(modeOf(`${folder}/assay.db`), '600')
  t.is(modeOf(`${folder}/assay.db-wal`), '600')
})

test('a file that others may read is closed to them', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createDatabase(path)
  chmodSync(path, 0o644)
  await openStore(t, { path })
  t.is(modeOf(path), '600')
})

test('refuses a database that is open, here or in another process', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openStore(t, { path })
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code: 'store-in-use' })
  const program = `
    import { openSqliteStore } from './src/storage/sqlite-store.ts'
    const logKey = Buffer.from('${Buffer.from(logKey).toString('hex')}', 'hex')
    await openSqliteStore({ path: '${path}', logOrigin: '${logOrigin}', logKey }).then(
      () => console.log('opened'), error => console.log(error.code))`
  const arguments_ = ['--input-type=module-typescript', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, arguments_)
  t.is(stdout.trim(), 'store-in-use')
  await t.notThrowsAsync(store.ping())
  await store.close()
  await openStore(t, { path })
})

test('refuses a file that is not a database, and leaves it as it was', async t => {
  const path = `${createFolder(t)}/assay.db`
  writeFileSync(path, 'not a database '.repeat(1_000))
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), {
    code: 'store-not-a-database',
  })
  t.is(statSync(path).size, 15_000)
})

const pageSize = 4_096

/** Overwrites the page at which a table begins. */
function damageTable(path: string, name: string): void {
  const database = new DatabaseSync(path)
  const query = database.prepare('select rootpage from sqlite_schema where name = ?')
  const page = Number(query.get(name)?.['rootpage'])
  database.close()
  const file = readFileSync(path)
  file.fill(0xff, (page - 1) * pageSize, page * pageSize)
  writeFileSync(path, file)
}

test('refuses a database of which a part is missing, or that is damaged where it begins', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createDatabase(path, 300)
  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, whole.length / 2))
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code: 'store-damaged' })
  for (const table of ['log_state', 'log_entries']) {
    writeFileSync(path, whole)
    damageTable(path, table)
    await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code: 'store-damaged' })
  }
  writeFileSync(path, whole)
  await openStore(t, { path })
})

test('a database that turns out to be damaged answers nobody from then on, and can be closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createDatabase(path)
  damageTable(path, 'hosts')
  const store = await openSqliteStore({ path, logOrigin, logKey })
  await t.notThrowsAsync(store.ping())
  await t.throwsAsync(store.hosts.list(), { code: 'store-unavailable' })
  await t.throwsAsync(store.ping(), { code: 'store-unavailable' })
  await t.throwsAsync(store.audit.append(entry('test')), { code: 'store-unavailable' })
  await wait(100)
  await t.notThrowsAsync(store.close())
  await t.notThrowsAsync(store.close())
})

test('refuses a path where no file can be', async t => {
  const file = `${createFolder(t)}/file`
  writeFileSync(file, '')
  for (const path of [`${file}/assay.db`, createFolder(t)])
    await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code: 'store-unreachable' })
})

test("refuses another program's database", async t => {
  const path = `${createFolder(t)}/assay.db`
  edit(path, 'create table theirs (x); insert into theirs values (1)')
  const code = 'store-foreign-database'
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code })
})

test('refuses the database of a newer version', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createDatabase(path)
  edit(path, "insert into kysely_migration values ('9999-future', '2099-01-01')")
  const code = 'store-schema-newer'
  const error = await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code })
  t.like(error, { found: '9999-future' })
})

test('refuses to continue a log under another key or name', async t => {
  const path = `${createFolder(t)}/assay.db`
  await createDatabase(path)
  const code = 'store-log-key-mismatch'
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey: createLogKey() }), { code })
  await t.throwsAsync(openSqliteStore({ path, logOrigin: 'other.example/log', logKey }), { code })
  await openStore(t, { path })
})

test('refuses to continue a log whose tree is not the one it signed', async t => {
  const changes = [
    "update log_entries set entry = x'00' where position = 299",
    'delete from log_entries where position = 299',
    'update log_tiles set root = zeroblob(32)',
    'delete from log_tiles',
    'update log_state set size = 299',
    "update log_state set checkpoint = 'nothing'",
  ]
  for (const change of changes) {
    const path = `${createFolder(t)}/assay.db`
    await createDatabase(path, 300)
    edit(path, change)
    const code = 'store-log-damaged'
    await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey }), { code }, change)
  }
})

test('refuses a log key that is not Ed25519', async t => {
  const path = ':memory:'
  const code = 'note-key-malformed'
  await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey: new Uint8Array(3) }), { code })
})

test('refuses a log name that a signed note cannot carry', async t => {
  const code = 'note-key-malformed'
  await t.throwsAsync(openSqliteStore({ path: ':memory:', logOrigin: 'a b', logKey }), { code })
})
