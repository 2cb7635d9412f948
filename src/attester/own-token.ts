import type { TokenAnswer } from './service-answer.ts'

/** A token of the service's own API, and until when it is used, Unix milliseconds. */
interface HeldToken {
  readonly accessToken: string
  readonly usedUntil: number
}

const usedBeforeEndMs = 30_000

/** The token with which a client calls the service's own API: fetched when it is needed, used until shortly before its end. */
export class OwnToken {
  readonly #fetch: () => Promise<TokenAnswer>
  readonly #now: () => number
  #held: Promise<HeldToken> | undefined

  constructor(fetch: () => Promise<TokenAnswer>, now: () => number) {
    this.#fetch = fetch
    this.#now = now
  }

  /** The text of a token that can be used now. Throws what fetching throws. */
  async current(): Promise<string> {
    const current = this.#held ?? this.#renew()
    const token = await current
    if (token.usedUntil > this.#now()) return token.accessToken
    // Whoever notices first renews, the others wait for the same one.
    return (await (this.#held === current ? this.#renew() : (this.#held ?? current))).accessToken
  }

  /** Offers it no more: the service no longer takes it. */
  forget(): void {
    this.#held = undefined
  }

  #renew(): Promise<HeldToken> {
    const renewed = this.#fetchHeld()
    this.#held = renewed
    renewed.catch(() => {
      if (this.#held === renewed) this.#held = undefined
    })
    return renewed
  }

  async #fetchHeld(): Promise<HeldToken> {
    const now = this.#now()
    const { access_token: accessToken, expires_in: seconds } = await this.#fetch()
    return { accessToken, usedUntil: now + Math.max(seconds * 1000 - usedBeforeEndMs, 1_000) }
  }
}
