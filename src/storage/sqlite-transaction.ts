import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import { createQueryBuilder } from './kysely-dialect.ts'
import type { Schema } from './schema.ts'
import type { CompiledStatement, Statement } from './statement.ts'
import type { Transaction, Values } from './transaction.ts'

interface Prepared {
  readonly compiled: CompiledStatement
  readonly prepared: StatementSync
}

/** What one operation did, for the batch that runs it to judge. */
export interface Trace {
  /** It has changed rows, so it cannot be dropped without a roll-back. */
  hasWritten: boolean
  hasRefused: boolean
  /** Entries it wants in the log. */
  entries: string[]
}

/** {@link Transaction} on `node:sqlite`: every statement compiled and prepared once for the life of the database. */
export class SqliteTransaction implements Transaction {
  readonly #database: DatabaseSync
  readonly #builder: Kysely<Schema> = createQueryBuilder()
  readonly #prepared = new Map<object, Prepared>()
  #trace: Trace = { hasWritten: false, hasRefused: false, entries: [] }

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Begins to trace the next operation. */
  trace(): Trace {
    this.#trace = { hasWritten: false, hasRefused: false, entries: [] }
    return this.#trace
  }

  first<V extends object, Row>(statement: Statement<V, Row>, values: V): Row | undefined {
    const { compiled, prepared } = this.#prepare(statement)
    return prepared.get(...compiled.bind(values as Values)) as Row | undefined
  }

  all<V extends object, Row>(statement: Statement<V, Row>, values: V): Row[] {
    const { compiled, prepared } = this.#prepare(statement)
    return prepared.all(...compiled.bind(values as Values)) as Row[]
  }

  run<V extends object, Row>(statement: Statement<V, Row>, values: V): number {
    const { compiled, prepared } = this.#prepare(statement)
    const changes = Number(prepared.run(...compiled.bind(values as Values)).changes)
    if (changes > 0) this.#trace.hasWritten = true
    return changes
  }

  append(entry: string): void {
    this.#trace.entries.push(entry)
  }

  refuse<Word extends string>(word: Word): Word {
    this.#trace.hasRefused = true
    return word
  }

  #prepare<V, Row>(statement: Statement<V, Row>): Prepared {
    let found = this.#prepared.get(statement)
    if (found === undefined) {
      const compiled = statement.compile(this.#builder)
      found = { compiled, prepared: this.#database.prepare(compiled.sql) }
      this.#prepared.set(statement, found)
    }
    return found
  }
}
