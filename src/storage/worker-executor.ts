import { Worker } from 'node:worker_threads'
import { StoreError } from '../ports/store-error.ts'
import type { Executor } from './executor.ts'
import type { OperationAnswer, OperationArguments, OperationName } from './operations/operations.ts'
import type { Call, Outcome } from './sqlite-engine.ts'
import type { Failure, Request, Response, WorkerOptions } from './worker-messages.ts'

interface Pending {
  readonly call: Call
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: StoreError) => void
}

/** Longer batches save nothing more and make everyone in them wait. */
const maxBatch = 512

/**
 * A transaction, its signature and its flush cost as much as a dozen operations. Where the batch before shows that many
 * callers are at work, the next one waits for more of them: so long, or until so many are there.
 */
const gathering = { since: 4, milliseconds: 2, until: 64 }

/**
 * Sends operations to the database thread in batches: all that arrive in one turn of the event loop, or while the
 * batch before is being made durable, share one transaction; many callers wait a moment for each other. At most
 * `maxWaiting` wait; after a failure of the thread everything is refused.
 */
export class WorkerExecutor implements Executor {
  readonly #worker: Worker
  readonly #maxWaiting: number
  #waiting: Pending[] = []
  #running: Pending[] = []
  #isScheduled = false
  #gatherer: NodeJS.Timeout | undefined
  #lastBatch = 0
  #broken: StoreError | undefined
  #hasEnded = false
  #closing: PromiseWithResolvers<void> | undefined

  #appended: () => void = () => undefined

  private constructor(worker: Worker, maxWaiting: number) {
    this.#worker = worker
    this.#maxWaiting = maxWaiting
  }

  /** Starts the thread and waits until the database is open. Rejects with what opening refused. */
  static async start(options: WorkerOptions, maxWaiting: number): Promise<WorkerExecutor> {
    const worker = new Worker(new URL('sqlite-worker.ts', import.meta.url), {
      workerData: options,
      // Not the flags of whoever started us, some of which no thread takes.
      execArgv: [],
    })
    await opened(worker)
    const executor = new WorkerExecutor(worker, maxWaiting)
    executor.#listen()
    return executor
  }

  async execute<Name extends OperationName>(
    name: Name,
    ...values: OperationArguments<Name>
  ): Promise<OperationAnswer<Name>> {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#waiting.length + this.#running.length >= this.#maxWaiting)
      throw new StoreError('store-overloaded', { found: `${this.#maxWaiting} operations wait` })
    return await new Promise((resolve, reject) => {
      const call: Call = [name, ...values]
      this.#waiting.push({ call, resolve: resolve as (answer: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Calls back after each batch that made the log longer. */
  onAppend(listener: () => void): void {
    this.#appended = listener
  }

  async close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers()
      this.#broken ??= new StoreError('store-unavailable', { found: 'a closed store' })
      // Who has ended answers nobody, and has given back what it held.
      if (this.#hasEnded) this.#closing.resolve()
      else if (this.#running.length === 0 && this.#waiting.length === 0) this.#sendClose()
    }
    return await this.#closing.promise
  }

  #listen(): void {
    this.#worker.on('message', (response: Response) => this.#receive(response))
    this.#worker.on('error', error => this.#break(error))
    this.#worker.on('messageerror', error => this.#break(error))
    this.#worker.on('exit', () => this.#break(new Error('the database thread has ended')))
    this.#worker.unref()
  }

  /** Called with each operation that comes to wait, and when the batch before is done. */
  #schedule(): void {
    if (this.#running.length > 0) return
    if (this.#gatherer !== undefined && this.#waiting.length >= gathering.until) {
      clearTimeout(this.#gatherer)
      this.#gatherer = undefined
      this.#isScheduled = false
    }
    if (this.#isScheduled) return
    this.#isScheduled = true
    const isCrowded = this.#lastBatch >= gathering.since && this.#waiting.length < gathering.until
    if (isCrowded) this.#gatherer = setTimeout(() => this.#send(), gathering.milliseconds)
    else setImmediate(() => this.#send())
  }

  #send(): void {
    this.#isScheduled = false
    this.#gatherer = undefined
    if (this.#waiting.length === 0) return
    this.#running = this.#waiting.splice(0, maxBatch)
    this.#lastBatch = this.#running.length
    try {
      this.#post({ calls: this.#running.map(({ call }) => call) })
    } catch (cause) {
      this.#finish(({ reject }) => reject(new StoreError('store-invalid-record', { cause })))
    }
  }

  #receive(response: Response): void {
    if ('outcomes' in response) {
      this.#finish((pending, i) => settle(pending, response.outcomes[i]))
      if (response.hasAppended) this.#appended()
    }
    if ('failed' in response) this.#finish(({ reject }) => reject(errorOf(response.failed)))
    else if ('closed' in response) this.#closing?.resolve()
  }

  #finish(each: (pending: Pending, index: number) => void): void {
    const finished = this.#running
    this.#running = []
    finished.forEach(each)
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#closing !== undefined) this.#sendClose()
    else this.#worker.unref()
  }

  #sendClose(): void {
    this.#post({ close: true })
  }

  #post(request: Request): void {
    this.#worker.ref()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request)
  }

  /** Nothing is known about what runs, nothing will happen to what waits: all of it is refused, and all to come. */
  #break(cause: unknown): void {
    this.#hasEnded = true
    this.#broken ??= new StoreError('store-unavailable', { cause })
    const lost = [...this.#running, ...this.#waiting]
    this.#running = []
    this.#waiting = []
    for (const { reject } of lost) reject(new StoreError('store-unavailable', { cause }))
    this.#closing?.resolve()
    void this.#worker.terminate()
  }
}

async function opened(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const fail = (cause: unknown): void => reject(new StoreError('store-unavailable', { cause }))
  worker.once('message', resolve)
  worker.once('error', fail)
  worker.once('exit', fail)
  const response = await promise
  worker.off('error', fail)
  worker.off('exit', fail)
  if ('failed' in response) throw errorOf(response.failed)
}

function settle({ resolve, reject }: Pending, outcome: Outcome | undefined): void {
  if (outcome === undefined) reject(new StoreError('store-unavailable'))
  else if ('answer' in outcome) resolve(outcome.answer)
  else reject(new StoreError(outcome.refused, { cause: outcome.cause }))
}

function errorOf({ code, found, cause }: Failure): StoreError {
  return new StoreError(code, { ...(found === undefined ? {} : { found }), cause })
}
