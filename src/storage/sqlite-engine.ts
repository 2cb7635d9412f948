import type { DatabaseSync } from 'node:sqlite'
import { StoreError, type StoreErrorCode } from '../ports/store-error.ts'
import type { LogWriter } from './log-writer.ts'
import { operations, type OperationName } from './operations/operations.ts'
import { refusalOf } from './sqlite-errors.ts'
import { SqliteTransaction } from './sqlite-transaction.ts'
import type { Transaction } from './transaction.ts'

/** An operation and its arguments, flat: `[name, ...values]`. */
export type Call = readonly [OperationName, ...unknown[]]

/** What one caller of a batch gets. */
export type Outcome =
  { readonly answer: unknown } | { readonly refused: StoreErrorCode; readonly cause: unknown }

/** Ends an attempt in which an operation would have to be undone alone. */
class NeedsSavepoints extends Error {}

type Operation = (tx: Transaction, ...values: unknown[]) => Promise<unknown>

/**
 * Runs batches of operations on one SQLite database, each batch in one transaction with one checkpoint and one
 * flush to disk. Runs one batch at a time: the caller awaits {@link run}.
 *
 * An operation that fails or refuses after it wrote must vanish alone. That is rare, and a savepoint per operation is
 * not free, so a batch is tried without savepoints, and only when one is missed, again with them.
 */
export class SqliteEngine {
  readonly #database: DatabaseSync
  readonly #transaction: SqliteTransaction
  readonly #log: LogWriter
  #hasAppended = false
  /** The tree in memory may not be that of the database. */
  #isStale = false

  private constructor(database: DatabaseSync, log: LogWriter) {
    this.#database = database
    this.#transaction = new SqliteTransaction(database)
    this.#log = log
  }

  /**
   * Takes up an open database and its log.
   *
   * @throws {StoreError} `store-log-key-mismatch`, `store-log-damaged`, `store-unavailable`
   */
  static async load(database: DatabaseSync, log: LogWriter): Promise<SqliteEngine> {
    const engine = new SqliteEngine(database, log)
    await engine.#commit(async () => await log.load(engine.#transaction))
    return engine
  }

  /** Whether the batch before made the log longer. */
  get hasAppended(): boolean {
    return this.#hasAppended
  }

  /**
   * Runs a batch. When the promise resolves, all of it is durable; when it rejects, nothing of it happened.
   *
   * @throws {StoreError} `store-unavailable`; also `store-log-damaged` when the log cannot be taken up again
   */
  async run(calls: readonly Call[]): Promise<Outcome[]> {
    try {
      await this.#restore()
      return await this.#runBatch(calls)
    } catch (cause) {
      this.#isStale = true
      throw cause instanceof StoreError ? cause : new StoreError('store-unavailable', { cause })
    }
  }

  /** No leaf of a transaction that never was may stay in memory. */
  async #restore(): Promise<void> {
    if (!this.#isStale) return
    await this.#log.load(this.#transaction)
    this.#isStale = false
  }

  async #runBatch(calls: readonly Call[]): Promise<Outcome[]> {
    try {
      return await this.#commit(async () => await this.#attempt(calls, false))
    } catch (error) {
      // Thrown before the log was touched.
      if (!(error instanceof NeedsSavepoints)) throw error
    }
    return await this.#commit(async () => await this.#attempt(calls, true))
  }

  async #commit<T>(work: () => Promise<T>): Promise<T> {
    this.#database.exec('begin immediate')
    try {
      const result = await work()
      this.#database.exec('commit')
      return result
    } catch (error) {
      // Some failures (disk full, I/O) have rolled back by themselves.
      if (this.#database.isTransaction) this.#database.exec('rollback')
      throw error
    }
  }

  async #attempt(calls: readonly Call[], hasSavepoints: boolean): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    const entries: string[] = []
    for (const call of calls)
      outcomes.push(
        hasSavepoints ? await this.#runAlone(call, entries) : await this.#runBare(call, entries),
      )
    this.#hasAppended = entries.length > 0
    if (this.#hasAppended) await this.#log.append(this.#transaction, entries)
    return outcomes
  }

  async #runBare(call: Call, entries: string[]): Promise<Outcome> {
    const trace = this.#transaction.trace()
    let answer: unknown
    try {
      answer = await this.#invoke(call)
    } catch (cause) {
      if (trace.hasWritten) throw new NeedsSavepoints()
      return refused(cause)
    }
    if (trace.hasRefused && trace.hasWritten) throw new NeedsSavepoints()
    if (!trace.hasRefused) entries.push(...trace.entries)
    return { answer }
  }

  async #runAlone(call: Call, entries: string[]): Promise<Outcome> {
    const trace = this.#transaction.trace()
    this.#database.exec('savepoint operation')
    let outcome: Outcome
    try {
      outcome = { answer: await this.#invoke(call) }
    } catch (cause) {
      outcome = refused(cause)
    }
    const isUndone = trace.hasRefused || 'refused' in outcome
    if (isUndone) this.#database.exec('rollback to operation')
    else entries.push(...trace.entries)
    this.#database.exec('release operation')
    return outcome
  }

  async #invoke([name, ...values]: Call): Promise<unknown> {
    const operation = operations[name] as Operation
    return await operation(this.#transaction, ...values)
  }
}

/** @throws the cause itself where the whole batch must fail with it */
function refused(cause: unknown): Outcome {
  const code = refusalOf(cause)
  if (code === undefined) throw cause
  return { refused: code, cause }
}
