import { Tpm2Error } from './error.ts'

/** What the addon tells of a handle it has opened. */
export interface NativeHandle {
  readonly tr: number
  readonly tpmHandle: number
  readonly name: Uint8Array
}

/**
 * An object, index or session that one connection holds open. Opaque: only the connection that made it can use it.
 *
 * Flush it when it is no longer needed (`tpm.flush(handle)`, `tpm.withHandle(…)` or `await using`); a TPM without
 * resource manager has three slots. One that is lost is flushed after it is collected, and by `close()` at the latest.
 */
export class TpmHandle implements AsyncDisposable {
  /** The TPM's own number: 0x80… transient, 0x81… persistent, 0x02… HMAC session, 0x03… policy session. */
  readonly tpmHandle: number
  /**
   * The Name (TPM 2.0 Part 1 r01.59 §16): nameAlg ‖ digest of the public area, computed on this side; empty for a
   * session.
   */
  readonly name: Uint8Array
  readonly #dispose: (handle: TpmHandle) => Promise<void>

  /** For {@link HandleTable} alone. */
  constructor(native: NativeHandle, dispose: (handle: TpmHandle) => Promise<void>) {
    this.tpmHandle = native.tpmHandle
    this.name = native.name
    this.#dispose = dispose
  }

  /** Whether this is a session rather than an object. */
  get isSession(): boolean {
    return this.tpmHandle >>> 24 === 0x02 || this.tpmHandle >>> 24 === 0x03
  }

  /** Flushes, and never throws: what cannot be flushed now is tried again by `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose(this).catch(() => undefined)
  }
}

/** Which handles a connection has given out, by the stack's own numbers. */
export class HandleTable {
  readonly #numbers = new WeakMap<TpmHandle, number>()
  readonly #lost: FinalizationRegistry<number>
  readonly #dispose: (handle: TpmHandle) => Promise<void>

  /** @param flushLost is called with the number of each handle that was collected without a flush. */
  constructor(dispose: (handle: TpmHandle) => Promise<void>, flushLost: (tr: number) => void) {
    this.#dispose = dispose
    this.#lost = new FinalizationRegistry(flushLost)
  }

  add(native: NativeHandle): TpmHandle {
    const handle = new TpmHandle(native, this.#dispose)
    this.#numbers.set(handle, native.tr)
    this.#lost.register(handle, native.tr, handle)
    return handle
  }

  /** @throws {Tpm2Error} tpm-handle-released */
  numberOf(handle: TpmHandle, command: string): number {
    const tr = this.#numbers.get(handle)
    if (tr === undefined) throw Tpm2Error.released(command)
    return tr
  }

  /** Forgets a handle and gives its number; `undefined` when it was released before. */
  release(handle: TpmHandle): number | undefined {
    const tr = this.#numbers.get(handle)
    this.#numbers.delete(handle)
    this.#lost.unregister(handle)
    return tr
  }
}
