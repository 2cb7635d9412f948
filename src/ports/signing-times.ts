/** What a timed signature was for: `issuing` whatever an authority signs, `responder` OCSP answers. */
export type TimedRole = 'issuing' | 'token' | 'log' | 'responder'

/** What came of it. `down`, `busy`: of hardware; `failed`: anything else. */
export type SigningOutcome = 'signed' | 'down' | 'busy' | 'failed'

/** Told how long each signature took, waiting for its turn included. */
export interface SigningTimes {
  observe(role: TimedRole, outcome: SigningOutcome, seconds: number): void
}
