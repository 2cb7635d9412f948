import type { KeyKind } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { logInOnce } from './pkcs11-login.ts'
import type { KeyDescription } from './pkcs11-description.ts'
import type { OpenedKey } from './pkcs11-messages.ts'
import { Pkcs11Process } from './pkcs11-process.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** How a token is used; the first to enter it decides. */
export interface TokenUse {
  readonly pin: string | undefined
  /** How long one call may take, milliseconds. */
  readonly deadlineMs: number
  /** Signatures at once, each in a session of its own. */
  readonly sessions: number
}

/** What a call that creates, looks up or logs in may take at least: it happens at starts. */
const patienceMs = 20_000
/** Callers that wait for a session, at most, and how long one waits, milliseconds. */
const longestQueue = 512
const longestWaitMs = 10_000

const tokens = new Map<string, Pkcs11Token>()

/** A caller that waits for a session. */
interface Waiter {
  enter(): void
  refuse(error: Pkcs11Error): void
}

/** A key as it is open at the moment; another process of the library knows nothing of it. */
interface Held {
  readonly generation: number
  readonly opened: OpenedKey
}

/**
 * A token, reached through a process of its own: two keys on one token share its login and its sessions, and a token
 * that fails takes no other with it. Sessions and processes that are lost are replaced by {@link reopen} and
 * {@link restart}; keys stay good over both, since they are looked up anew.
 */
export class Pkcs11Token {
  readonly #name: string
  readonly #uri: Pkcs11Uri
  readonly #use: TokenUse
  readonly #keys = new Map<string, Held>()
  readonly #queue: Waiter[] = []
  #process: Pkcs11Process | undefined
  #connecting: Promise<Pkcs11Process> | undefined
  /** Grows with each new set of sessions. */
  #generation = 0
  #users = 0
  #active = 0

  private constructor(name: string, uri: Pkcs11Uri, use: TokenUse) {
    this.#name = name
    this.#uri = uri
    this.#use = use
  }

  /** The token that a URI names; each taker gives it back with {@link leave}. */
  static enter(uri: Pkcs11Uri, use: TokenUse): Pkcs11Token {
    const { modulePath, token, manufacturer, serial, model, slotId } = uri
    const name = JSON.stringify([modulePath, token, manufacturer, serial, model, slotId, use.pin])
    const found = tokens.get(name) ?? new Pkcs11Token(name, uri, use)
    tokens.set(name, found)
    found.#users += 1
    return found
  }

  /** Signatures that wait for a session. */
  get waiting(): number {
    return this.#queue.length
  }

  get generation(): number {
    return this.#generation
  }

  /** Looks a key up, or gives it as it was found before. Throws Pkcs11Error. */
  async open(uri: Pkcs11Uri): Promise<OpenedKey> {
    return (await this.#hold(uri)).opened
  }

  /** What the token says of a key and of itself. Throws Pkcs11Error. */
  async describe(uri: Pkcs11Uri): Promise<KeyDescription> {
    const { opened } = await this.#hold(uri)
    const library = await this.#connect()
    return await library.ask({ call: 'describe', key: opened.key }, this.#patience)
  }

  /** Makes a key pair. Throws Pkcs11Error `pkcs11-key-exists`, `pkcs11-token-full`. */
  async create(uri: Pkcs11Uri, kind: KeyKind): Promise<void> {
    const library = await this.#connect()
    await library.ask({ call: 'create', uri, kind }, this.#patience)
  }

  /** Takes a key out of the token. */
  async destroy(uri: Pkcs11Uri): Promise<void> {
    const library = await this.#connect()
    this.#keys.delete(keyName(uri))
    await library.ask({ call: 'destroy', uri }, this.#patience)
  }

  /** Signs; waits for a session where all are at work. Throws Pkcs11Error, `pkcs11-busy` above all. */
  async sign(uri: Pkcs11Uri, data: Uint8Array): Promise<Uint8Array> {
    await this.#enterQueue()
    try {
      const { opened } = await this.#hold(uri)
      const library = await this.#connect()
      const call = { call: 'sign', key: opened.key, data } as const
      return await library.ask(call, this.#use.deadlineMs)
    } finally {
      this.#leaveQueue()
    }
  }

  /** Whether token and key still answer. Throws Pkcs11Error. */
  async probe(uri: Pkcs11Uri): Promise<void> {
    const { opened } = await this.#hold(uri)
    const library = await this.#connect()
    await library.ask({ call: 'probe', key: opened.key }, this.#use.deadlineMs)
  }

  /** New sessions in the same library, once for all who found those of a generation gone. */
  async reopen(generation: number): Promise<void> {
    if (this.#generation !== generation || this.#process === undefined) return
    const library = this.#process
    this.#forget()
    this.#process = library
    try {
      await library.ask({ call: 'reset' }, this.#use.deadlineMs)
    } catch {
      library.kill()
      this.#process = undefined
    }
  }

  /** A new process, once for all who found the one of a generation broken. */
  restart(generation: number): void {
    if (this.#generation !== generation) return
    this.#process?.kill()
    this.#forget()
    this.#refuseWaiting()
  }

  /** The last one to leave ends the process, which gives the token back. */
  async leave(): Promise<void> {
    this.#users -= 1
    if (this.#users > 0) return
    if (tokens.get(this.#name) === this) tokens.delete(this.#name)
    const library = this.#process
    this.#forget()
    if (library === undefined || library.isOver) return
    try {
      await library.ask({ call: 'finish' }, this.#use.deadlineMs)
    } catch {
      // What does not finish is ended.
    }
    library.kill()
  }

  get #patience(): number {
    return Math.max(patienceMs, this.#use.deadlineMs)
  }

  #forget(): void {
    this.#generation += 1
    this.#process = undefined
    this.#connecting = undefined
    this.#keys.clear()
  }

  async #hold(uri: Pkcs11Uri): Promise<Held> {
    const library = await this.#connect()
    const name = keyName(uri)
    const known = this.#keys.get(name)
    if (known !== undefined && known.generation === this.#generation) return known
    const generation = this.#generation
    const opened = await library.ask({ call: 'open', uri }, this.#patience)
    const held = { generation, opened }
    if (generation === this.#generation) this.#keys.set(name, held)
    return held
  }

  /** The process, started and logged in; one attempt for all who wait for it. */
  async #connect(): Promise<Pkcs11Process> {
    if (this.#process?.isOver === true) this.#forget()
    this.#connecting ??= this.#logIn(this.#generation)
    return await this.#connecting
  }

  async #logIn(generation: number): Promise<Pkcs11Process> {
    const library = this.#process ?? new Pkcs11Process(this.#uri.modulePath)
    this.#process = library
    try {
      const located = await library.ask({ call: 'locate', uri: this.#uri }, this.#patience)
      const token = { ...located, modulePath: this.#uri.modulePath }
      await logInOnce(token, this.#use.pin, async pin => {
        await library.ask({ call: 'login', pin }, this.#patience)
      })
      return library
    } catch (error) {
      if (this.#generation === generation) this.#forget()
      library.kill()
      this.#refuseWaiting()
      throw error
    }
  }

  async #enterQueue(): Promise<void> {
    if (this.#active < this.#use.sessions) {
      this.#active += 1
      return
    }
    if (this.#queue.length >= longestQueue)
      throw new Pkcs11Error('pkcs11-busy', { found: `${longestQueue} wait` })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        const place = this.#queue.indexOf(waiter)
        if (place >= 0) this.#queue.splice(place, 1)
        reject(new Pkcs11Error('pkcs11-busy', { found: `${longestWaitMs} ms in the queue` }))
      }, longestWaitMs)
      const waiter: Waiter = {
        enter: () => {
          clearTimeout(timer)
          resolve()
        },
        refuse: error => {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.#queue.push(waiter)
    })
  }

  /** Whoever waits for a token that was lost would wait for each attempt to find it again. */
  #refuseWaiting(): void {
    for (const waiter of this.#queue.splice(0))
      waiter.refuse(new Pkcs11Error('pkcs11-busy', { found: 'the token was lost meanwhile' }))
  }

  /** A place is handed on, not given up, where somebody waits for it. */
  #leaveQueue(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#active -= 1
    else next.enter()
  }
}

function keyName({ object, id, point }: Pkcs11Uri): string {
  const text = (bytes: Uint8Array | undefined): string | null =>
    bytes === undefined ? null : Buffer.from(bytes).toString('hex')
  return JSON.stringify([object, text(id), text(point)])
}
