import type { Value } from './schema.ts'
import type { Statement } from './statement.ts'

/** At once from SQLite, later from PostgreSQL; operations `await` either. */
export type Answer<T> = T | Promise<T>

/** What an execution brings for each slot of its statement. */
export type Values = { readonly [name: string]: Value }

/**
 * All that an operation may use: statements in one database transaction, and the log. Operations hold no state and
 * read no clock, so a database may run one again after it rolled it back.
 */
export interface Transaction {
  first<V extends object, Row>(statement: Statement<V, Row>, values: V): Answer<Row | undefined>
  all<V extends object, Row>(statement: Statement<V, Row>, values: V): Answer<Row[]>
  /** Answers the number of rows changed. */
  run<V extends object, Row>(statement: Statement<V, Row>, values: V): Answer<number>
  /** Puts an entry (canonical JSON) into the log when, and only when, the operation commits. */
  append(entry: string): void
  /** Undoes whatever the operation has done and answers with this word instead: `return tx.refuse('revoked')`. */
  refuse<Word extends string>(word: Word): Word
}
