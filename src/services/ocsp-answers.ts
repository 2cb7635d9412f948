import { createHash } from 'node:crypto'

/** An answer that was signed and may be given again. */
export interface KeptAnswer {
  /** What it says; another status makes another answer. */
  readonly status: string
  /** DER OCSPResponse, and the lower-case hex SHA-256 of it. */
  readonly bytes: Uint8Array
  readonly sha256: string
  /** Unix milliseconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number
}

/** One answer takes about a kilobyte. */
const mostAnswers = 20_000

/**
 * Answers that were produced before they are asked for again: in front of the signer, at most so many, each until half
 * of its time is over or its certificate has another status. Each question is signed for once, however many ask.
 *
 * @see RFC 6960 §2.5, RFC 9919 §6.3
 */
export class OcspAnswers {
  readonly #most: number
  readonly #kept = new Map<string, KeptAnswer>()
  readonly #pending = new Map<string, Promise<KeptAnswer>>()

  constructor(most = mostAnswers) {
    this.#most = most
  }

  /**
   * The answer to a question, as it was given before or as `produce` makes it now.
   *
   * @param question whatever tells questions, and who answers them, apart
   * @param status as the store has it at this moment
   * @throws whatever `produce` throws, to all who wait for it
   */
  async find(
    question: string,
    status: string,
    now: number,
    produce: () => Promise<Omit<KeptAnswer, 'status' | 'sha256'>>,
  ): Promise<KeptAnswer> {
    const kept = this.#kept.get(question)
    if (kept !== undefined && kept.status === status && isFresh(kept, now)) return kept
    const key = `${question} ${status}`
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      pending = this.#produce(question, status, produce).finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
    return await pending
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size
  }

  /** Forgets all: what was signed goes on being good, and what is asked for is signed anew. */
  clear(): void {
    this.#kept.clear()
  }

  async #produce(
    question: string,
    status: string,
    produce: () => Promise<Omit<KeptAnswer, 'status' | 'sha256'>>,
  ): Promise<KeptAnswer> {
    const made = await produce()
    const sha256 = createHash('sha256').update(made.bytes).digest('hex')
    const answer = { ...made, status, sha256 }
    this.#kept.delete(question)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= this.#most && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(question, answer)
    return answer
  }
}

function isFresh({ thisUpdate, nextUpdate }: KeptAnswer, now: number): boolean {
  return now >= thisUpdate && now < (thisUpdate + nextUpdate) / 2
}
