import { binding } from './binding.ts'
import type { NativeArguments, NativeCommandName, NativeConnection } from './binding.ts'
import { Tpm2Error } from './error.ts'
import { HandleTable, TpmHandle } from './handles.ts'
import type { NativeHandle } from './handles.ts'

/** How a connection behaves when the TPM is slow. */
export interface ConnectionOptions {
  /** Resubmissions of a command that the TPM was too busy for, with pauses of 2 ms doubling up to 500 ms. Default 12. */
  readonly retries?: number
  /** How long one answer may take; 0 is for ever. The connection is lost when it passes. Default 180,000. */
  readonly timeoutMilliseconds?: number
}

type Argument = number | boolean | Uint8Array | readonly Uint8Array[] | TpmHandle | undefined

/** One queue of commands into the addon: handles become the stack's numbers, rejections become {@link Tpm2Error}. */
export class Connection {
  readonly #native: NativeConnection
  readonly #handles: HandleTable
  #closed: Promise<void> | undefined

  constructor(tcti: string, options: ConnectionOptions = {}) {
    const { retries = 12, timeoutMilliseconds = 180_000 } = options
    const native = new binding.Connection({ tcti, retries, timeoutMilliseconds })
    this.#native = native
    this.#handles = new HandleTable(
      handle => this.flush(handle),
      tr => void native.flush({ handle: tr }).catch(() => undefined),
    )
  }

  /** Queues one command. Everything is read from `args` before this returns its promise. */
  async call<T>(
    command: NativeCommandName,
    args: Readonly<Record<string, Argument>> | object = {},
  ): Promise<T> {
    const native = this.#toNative(command, args as Readonly<Record<string, Argument>>)
    return (await settle(this.#native[command](native))) as T
  }

  /** Queues one command that opens a handle. */
  async open<T extends object>(
    command: NativeCommandName,
    args: object,
  ): Promise<T & { handle: TpmHandle }> {
    const { tr, tpmHandle, ...rest } = await this.call<T & NativeHandle>(command, args)
    return {
      ...rest,
      handle: this.#handles.add({ tr, tpmHandle, name: rest.name }),
    } as unknown as T & {
      handle: TpmHandle
    }
  }

  /** Gives up a handle and takes it out of the TPM if it is transient or a session. Releasing twice is no error. */
  async flush(handle: TpmHandle): Promise<void> {
    const tr = this.#handles.release(handle)
    if (tr !== undefined && this.#closed === undefined)
      await settle(this.#native.flush({ handle: tr }))
  }

  /** Forgets a handle that the TPM has already let go of. */
  release(handle: TpmHandle): void {
    this.#handles.release(handle)
  }

  /** Lets the commands already queued finish, flushes what is still held, and ends the connection's thread. */
  async close(): Promise<void> {
    this.#closed ??= settle(this.#native.close()).then(() => undefined)
    await this.#closed
  }

  #toNative(command: string, args: Readonly<Record<string, Argument>>): NativeArguments {
    const native: Record<string, NativeArguments[string]> = {}
    for (const [key, value] of Object.entries(args)) {
      native[key] = value instanceof TpmHandle ? this.#handles.numberOf(value, command) : value
    }
    if (args['protection'] instanceof TpmHandle)
      native['protectionIsSession'] = args['protection'].isSession
    return native
  }
}

async function settle<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw Tpm2Error.from(error)
  }
}
