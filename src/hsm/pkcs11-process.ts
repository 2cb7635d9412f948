import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Pkcs11Error } from './pkcs11-error.ts'
import type {
  Pkcs11Answers,
  Pkcs11Call,
  Pkcs11Refusal,
  Pkcs11Request,
  Pkcs11Response,
} from './pkcs11-messages.ts'

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Pkcs11Error) => void
  readonly deadline: NodeJS.Timeout
}

const body = fileURLToPath(new URL('pkcs11-child.ts', import.meta.url))

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * The process that holds a PKCS#11 library. A call of a token that hangs cannot be interrupted, a thread that makes it
 * can neither be ended nor joined, and the library it hangs in cannot be initialised anew: so it is a process, and one
 * that does not answer in time is killed. It also keeps the module, which is somebody else's code, out of the memory of
 * the service.
 */
export class Pkcs11Process {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #count = 0
  #isOver = false

  constructor(modulePath: string) {
    this.#child = fork(body, [modulePath], {
      serialization: 'advanced',
      // Not the flags of whoever started us; and what a module prints is for nobody.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    running.add(this.#child)
    this.#child.on('message', (response: Pkcs11Response) => this.#receive(response))
    this.#child.on('error', () => this.#end(ended()))
    this.#child.on('exit', () => {
      running.delete(this.#child)
      this.#end(ended())
    })
    this.#release()
  }

  /** Whether it has ended or was killed: a new one is needed. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Asks the library, and kills the process when it has not answered in time.
   *
   * @param deadlineMs how long it may take, milliseconds
   * @throws Pkcs11Error `pkcs11-timeout`, and what the library refuses
   */
  async ask<Call extends Pkcs11Call>(
    call: Call,
    deadlineMs: number,
  ): Promise<Pkcs11Answers[Call['call']]> {
    if (this.#isOver) throw ended()
    this.#count += 1
    const request: Pkcs11Request = { id: this.#count, call }
    return await new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#expire(request, deadlineMs), deadlineMs)
      this.#waiting.set(request.id, { resolve, reject, deadline })
      this.#hold()
      this.#child.send(request, error => {
        if (error !== null) this.kill(ended())
      })
    })
  }

  /** Ends it at once, whatever it is doing. */
  kill(reason: Pkcs11Error = ended()): void {
    this.#child.kill('SIGKILL')
    this.#end(reason)
  }

  /** A loop that was held up has answers waiting for it: they are read before anybody is said to be late. */
  #expire({ id, call }: Pkcs11Request, deadlineMs: number): void {
    setImmediate(() =>
      setImmediate(() => {
        if (!this.#waiting.has(id)) return
        const found = `${call.call} took longer than ${deadlineMs} ms`
        this.kill(new Pkcs11Error('pkcs11-timeout', { found }))
      }),
    )
  }

  #receive(response: Pkcs11Response): void {
    const waiting = this.#waiting.get(response.id)
    if (waiting === undefined) return
    this.#waiting.delete(response.id)
    clearTimeout(waiting.deadline)
    if (this.#waiting.size === 0) this.#release()
    if ('answer' in response) waiting.resolve(response.answer as never)
    else waiting.reject(errorOf(response.refused))
  }

  #end(reason: Pkcs11Error): void {
    this.#isOver = true
    for (const { reject, deadline } of this.#waiting.values()) {
      clearTimeout(deadline)
      reject(reason)
    }
    this.#waiting.clear()
    this.#release()
  }

  /** Nobody waits for it: our own process may end. */
  #release(): void {
    this.#child.unref()
    this.#child.channel?.unref()
  }

  #hold(): void {
    this.#child.ref()
    this.#child.channel?.ref()
  }
}

function ended(): Pkcs11Error {
  return new Pkcs11Error('pkcs11-failed', { found: 'the process of the module ended' })
}

function errorOf({ code, expected, found, returnValue }: Pkcs11Refusal): Pkcs11Error {
  const facts = {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  }
  return new Pkcs11Error(code, facts, returnValue)
}
