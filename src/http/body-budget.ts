import { networkOf } from './rate-limit.ts'

/** How many bytes of bodies may be held at once, beyond what every request may hold. */
interface Limits {
  readonly total: number
  /** Of one network. */
  readonly each: number
}

/** Counts the bytes of large bodies that are held in memory, so that many of them at once are refused, not held. */
export class BodyBudget {
  readonly #limits: Limits
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Takes bytes for a network; false, and nothing taken, when that would be too many. */
  take(address: string, bytes: number): boolean {
    const network = networkOf(address)
    const held = (this.#held.get(network) ?? 0) + bytes
    if (this.#total + bytes > this.#limits.total || held > this.#limits.each) return false
    this.#held.set(network, held)
    this.#total += bytes
    return true
  }

  /** Gives back what was taken. */
  release(address: string, bytes: number): void {
    const network = networkOf(address)
    const held = (this.#held.get(network) ?? 0) - bytes
    if (held > 0) this.#held.set(network, held)
    else this.#held.delete(network)
    this.#total -= bytes
  }
}
