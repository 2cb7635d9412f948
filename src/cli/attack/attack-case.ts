import type { PolicyDocument } from '../../core/appraisal/policy.ts'
import type { AssuranceLevel } from '../../core/verifier/assurance.ts'
import type { AttackWorld } from './world.ts'

/** One thing that a forger tries, and the honest twin of it. */
export interface AttackCase {
  /** What is tried, in a few words. */
  readonly name: string
  /** The code with which it must be refused. */
  readonly code: string
  /** Whether a policy looks at what is forged here; under another the case means nothing. Every policy where absent. */
  readonly needs?: (policy: PolicyDocument) => boolean
  /** A level of HSMs at which its twin is let in; where the policy does not admit it, the case means nothing. */
  readonly assurance?: AssuranceLevel
  /** Tries it; the promise rejects with the refusal. */
  readonly attack: (world: AttackWorld) => Promise<unknown>
  /** The same without the forgery: it must be let in, so that a service which always refuses is found out. */
  readonly twin: (world: AttackWorld) => Promise<unknown>
}

/** How one case came out. */
export interface AttackOutcome {
  readonly name: string
  readonly expected: string
  /** The code of the refusal; `accepted`, or `failed: …` where it was neither accepted nor refused. */
  readonly found: string
  /** `accepted`, or what became of it instead. */
  readonly twin: string
  readonly isHeld: boolean
}

/** What became of the kit. */
export interface PlayedKit {
  readonly outcomes: readonly AttackOutcome[]
  /** Names of cases that the policy in force does not look at. */
  readonly notPlayed: readonly string[]
}
