import { Worker } from 'node:worker_threads'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { OpenedKey, Pkcs11Call, Pkcs11Request, Pkcs11Response } from './pkcs11-messages.ts'

interface Waiting {
  readonly resolve: (answer: OpenedKey | Uint8Array | undefined) => void
  readonly reject: (error: Pkcs11Error) => void
}

/** A PKCS#11 library is initialised once a process, so there is one thread for each. */
const modules = new Map<string, Pkcs11Module>()
/** Threads on their way out: the library must be finished before it is initialised anew. */
const ending = new Map<string, Promise<unknown>>()

/** The thread that holds a module; calls are answered in their order. */
export class Pkcs11Module {
  readonly #worker: Worker
  readonly #path: string
  readonly #waiting = new Map<number, Waiting>()
  #count = 0
  #users = 0
  /** A login was refused: the thread stays, for it remembers that. */
  #isMarked = false

  private constructor(path: string) {
    this.#path = path
    this.#worker = new Worker(new URL('pkcs11-worker.ts', import.meta.url), {
      workerData: { modulePath: path },
      // Not the flags of whoever started us, some of which no thread takes.
      execArgv: [],
    })
    this.#worker.on('message', (response: Pkcs11Response) => this.#receive(response))
    this.#worker.on('error', cause => this.#end(cause))
    this.#worker.on('exit', () => this.#end(undefined))
    this.#worker.unref()
  }

  /** The thread of a module, started where there is none; each taker gives it back with {@link leave}. */
  static async enter(path: string): Promise<Pkcs11Module> {
    while (ending.has(path)) await ending.get(path)
    const module = modules.get(path) ?? new Pkcs11Module(path)
    modules.set(path, module)
    module.#users += 1
    return module
  }

  /** Asks the thread. Throws Pkcs11Error. */
  async call(call: Pkcs11Call): Promise<OpenedKey | Uint8Array | undefined> {
    this.#count += 1
    const request: Pkcs11Request = { id: this.#count, call }
    return await new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject })
      this.#worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage(request)
    })
  }

  /** The last one to leave ends the thread. */
  async leave(): Promise<void> {
    this.#users -= 1
    if (this.#users > 0 || this.#isMarked || modules.get(this.#path) !== this) return
    modules.delete(this.#path)
    const finished = this.call({ call: 'finish' }).finally(() => ending.delete(this.#path))
    ending.set(
      this.#path,
      finished.catch(() => undefined),
    )
    await finished
  }

  #receive(response: Pkcs11Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('answer' in response) return waiting?.resolve(response.answer)
    const { code, expected, found } = response.refused
    if (code === 'pkcs11-pin-wrong' || code === 'pkcs11-pin-locked') this.#isMarked = true
    waiting?.reject(
      new Pkcs11Error(code, {
        ...(expected === undefined ? {} : { expected }),
        ...(found === undefined ? {} : { found }),
      }),
    )
  }

  #end(cause: unknown): void {
    if (modules.get(this.#path) === this) modules.delete(this.#path)
    const error = new Pkcs11Error('pkcs11-failed', {
      found: 'the thread of the module ended',
      cause,
    })
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
