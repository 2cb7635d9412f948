import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteDatabase,
} from 'kysely'
import type { Schema } from './schema.ts'

/** Builds and compiles queries for SQLite; cannot execute any. */
export function createQueryBuilder(): Kysely<Schema> {
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** DDL is transactional in SQLite; a migration cut in the middle must leave nothing. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}

/** Executes Kysely's queries on an open `node:sqlite` database: for migrations, not for the hot path. */
export function createKysely(database: DatabaseSync): Kysely<Schema> {
  return new Kysely({ dialect: new NodeSqliteDialect({ database: adapt(database) }) })
}

/** Kysely expects the shape of better-sqlite3. */
function adapt(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => undefined,
    prepare: sql => {
      const statement = database.prepare(sql)
      return {
        reader: statement.columns().length > 0,
        all: values => statement.all(...(values as SQLInputValue[])),
        run: values => statement.run(...(values as SQLInputValue[])),
        iterate: values => statement.iterate(...(values as SQLInputValue[])),
      }
    },
  }
}
