import type { NoteVerifier } from '../core/log/note-key.ts'
import type { Executor } from './executor.ts'
import { signCheckpoint, type CheckpointKey } from './log-signer.ts'

/** How soon a key that did not sign is asked again. */
const retryMs = 500

/**
 * Signs what the log holds, behind the transactions that made it durable: a key in hardware takes longer than a commit,
 * and may be away. One signature at a time, each over all that there is by then; while the key does not sign, entries go
 * on, and the checkpoint stays where it was.
 */
export class LogSealer {
  readonly #db: Pick<Executor, 'execute'>
  readonly #verifier: NoteVerifier
  readonly #sign: NonNullable<CheckpointKey['sign']>
  #running: Promise<void> | undefined
  #isAskedAgain = false
  #isFinishing = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    db: Pick<Executor, 'execute'>,
    verifier: NoteVerifier,
    sign: NonNullable<CheckpointKey['sign']>,
  ) {
    this.#db = db
    this.#verifier = verifier
    this.#sign = sign
  }

  /** Says that there may be something to sign. */
  look(): void {
    this.#isAskedAgain = true
    if (this.#running !== undefined || this.#timer !== undefined || this.#isFinishing) return
    this.#running = this.#run()
  }

  /** Signs once more what there is, if the key does, and then no more. */
  async finish(): Promise<void> {
    this.#isFinishing = true
    clearTimeout(this.#timer)
    await this.#running
    await this.#sealOnce()
  }

  async #run(): Promise<void> {
    let isSealed = true
    while (this.#isAskedAgain && isSealed) {
      this.#isAskedAgain = false
      isSealed = await this.#sealOnce()
    }
    this.#running = undefined
    if (isSealed || this.#isFinishing) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.look()
    }, retryMs).unref()
  }

  /** Whether nothing was left unsigned. A key that is away tells so itself, and a database that fails whoever writes. */
  async #sealOnce(): Promise<boolean> {
    try {
      const unsigned = await this.#db.execute('findUnsigned')
      if (unsigned === undefined) return true
      const { size, root: rootHash } = unsigned
      const head = { origin: this.#verifier.name, size, rootHash }
      const checkpoint = await signCheckpoint(head, this.#verifier, this.#sign)
      await this.#db.execute('writeCheckpoint', size, checkpoint)
      return true
    } catch {
      return false
    }
  }
}
