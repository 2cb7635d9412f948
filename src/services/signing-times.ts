import type { SigningOutcome, SigningTimes, TimedRole } from '../ports/signing-times.ts'

type Listener = (role: TimedRole, outcome: SigningOutcome, seconds: number) => void

/** Passes on how long signatures took to whoever counts them; what was before somebody listened is not kept. */
export class SigningFeed implements SigningTimes {
  readonly #listeners = new Set<Listener>()

  observe(role: TimedRole, outcome: SigningOutcome, seconds: number): void {
    for (const listener of this.#listeners) listener(role, outcome, seconds)
  }

  listen(listener: Listener): void {
    this.#listeners.add(listener)
  }
}
