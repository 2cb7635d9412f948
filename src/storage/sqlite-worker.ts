import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { StoreError } from '../ports/store-error.ts'
import { createEmbeddedLogSigner, type CheckpointKey } from './log-signer.ts'
import { LogWriter } from './log-writer.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { isFatal, openingError } from './sqlite-errors.ts'
import { SqliteEngine, type Call } from './sqlite-engine.ts'
import type { Failure, Request, Response, WorkerOptions } from './worker-messages.ts'

if (parentPort === null) throw new TypeError('this module runs in a worker thread')
const port = parentPort

const respond = (response: Response): void => port.postMessage(response)

function failureOf(error: unknown): Failure {
  if (!(error instanceof StoreError))
    return { code: 'store-unavailable', found: undefined, cause: plain(error) }
  return { code: error.code, found: error.found, cause: plain(error.cause) }
}

/** An error as a thread boundary carries it. */
function plain(error: unknown): unknown {
  return error instanceof Error ? new Error(error.message) : undefined
}

async function open(options: WorkerOptions): Promise<void> {
  let database: DatabaseSync | undefined
  try {
    const log = new LogWriter(options.logOrigin, keyOf(options.logKey))
    database = await openSqliteDatabase(options.path)
    serve(database, await takeUp(database, log))
    respond({ opened: true })
  } catch (error) {
    database?.close()
    respond({ failed: failureOf(error) })
  }
}

function keyOf(logKey: WorkerOptions['logKey']): CheckpointKey {
  return 'spki' in logKey ? { publicKey: logKey.spki } : createEmbeddedLogSigner(logKey.pkcs8)
}

async function takeUp(database: DatabaseSync, log: LogWriter): Promise<SqliteEngine> {
  try {
    return await SqliteEngine.load(database, log)
  } catch (cause) {
    throw isFatal(cause) ? openingError(cause) : cause
  }
}

function serve(database: DatabaseSync, engine: SqliteEngine): void {
  port.on('message', (request: Request) => {
    if ('calls' in request) void runBatch(engine, request.calls)
    else close(database)
  })
}

function close(database: DatabaseSync): void {
  database.close()
  respond({ closed: true })
  port.close()
}

async function runBatch(engine: SqliteEngine, calls: readonly Call[]): Promise<void> {
  try {
    const outcomes = await engine.run(calls)
    respond({
      outcomes: outcomes.map(o => ('refused' in o ? { ...o, cause: plain(o.cause) } : o)),
      hasAppended: engine.hasAppended,
    })
  } catch (error) {
    // The end of the thread refuses this batch and everything after it.
    if (isFatal(error)) throw error
    respond({ failed: failureOf(error) })
  }
}

await open(workerData as WorkerOptions)
