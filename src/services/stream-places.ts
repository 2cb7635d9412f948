/** Places for callers that hold something open: so many in all, and so many of one caller. */
export class StreamPlaces {
  readonly #most: number
  readonly #mostOfCaller: number
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(limits: { readonly most: number; readonly mostOfCaller: number }) {
    this.#most = limits.most
    this.#mostOfCaller = limits.mostOfCaller
  }

  /** Takes a place; gives what leaves it, once, or undefined where there is none. */
  take(caller: string): (() => void) | undefined {
    const own = this.#held.get(caller) ?? 0
    if (this.#total >= this.#most || own >= this.#mostOfCaller) return undefined
    this.#total += 1
    this.#held.set(caller, own + 1)
    let isHeld = true
    return () => {
      if (isHeld) this.#leave(caller)
      isHeld = false
    }
  }

  #leave(caller: string): void {
    const own = (this.#held.get(caller) ?? 0) - 1
    this.#total -= 1
    if (own > 0) this.#held.set(caller, own)
    else this.#held.delete(caller)
  }
}
