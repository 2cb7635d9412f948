import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../ports/store-error.ts'
import { createKysely } from './kysely-dialect.ts'
import { sqliteTypes } from './migrations/column-types.ts'
import { migrate } from './migrations/migrate.ts'
import { openingError } from './sqlite-errors.ts'

/** Marks a SQLite file as ours: "Assy". <https://sqlite.org/pragma.html#pragma_application_id> */
const applicationId = 0x41737379

/** How long to wait for a service that is just stopping to let go of the file. */
const lockTimeoutMs = 1_000

/**
 * Opens or creates the database, takes it for this process alone and brings its schema up to date.
 *
 * The lock is SQLite's own (`locking_mode=EXCLUSIVE`): it dies with the process, holds against every other process
 * and connection, and spares the shared-memory index.
 *
 * @throws {StoreError} `store-unreachable`, `store-in-use`, `store-not-a-database`, `store-damaged`,
 * `store-foreign-database`, `store-schema-newer`
 */
export async function openSqliteDatabase(path: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined
  try {
    if (path !== ':memory:') createFile(path)
    database = new DatabaseSync(path, { timeout: lockTimeoutMs })
    lock(database)
    configure(database)
    await migrate(createKysely(database), sqliteTypes)
    return database
  } catch (cause) {
    database?.close()
    throw openingError(cause)
  }
}

/**
 * Nobody but this user may read: the file holds the secrets of open enrolments. An existing file is not opened here:
 * closing any descriptor of a file drops every POSIX lock that this process has on it, and with it a running store's.
 * <https://sqlite.org/howtocorrupt.html> §2.2
 */
function createFile(path: string): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (existsSync(path)) return chmodSync(path, 0o600)
  closeSync(openSync(path, 'wx', 0o600))
  syncFolder(folder)
}

/** A new name survives a power cut only once its folder is on disk. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function lock(database: DatabaseSync): void {
  database.exec('pragma locking_mode = exclusive')
  refuseForeign(database)
  database.exec('pragma journal_mode = wal')
  // The lock is taken by the first write, not by asking for it.
  database.exec(`begin immediate; pragma application_id = ${applicationId}; commit`)
}

function refuseForeign(database: DatabaseSync): void {
  const id = database.prepare('pragma application_id').get()?.['application_id']
  const tables = database.prepare('select count(*) as n from sqlite_schema').get()?.['n']
  if (id !== applicationId && tables !== 0)
    throw new StoreError('store-foreign-database', { found: `application id ${String(id)}` })
}

function configure(database: DatabaseSync): void {
  database.exec(`
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma temp_store = memory;
    pragma cache_size = -65536;
  `)
}
