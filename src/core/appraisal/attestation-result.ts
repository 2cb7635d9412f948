import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { PlatformState } from './platform-state.ts'
import type { AppraisalStatus } from './status.ts'
import type { Verdict } from './verdict.ts'

const seal: unique symbol = Symbol('attestation result')

/** What only the appraisal may put together. */
export interface AttestationResultParts<State extends PlatformState | null = PlatformState> {
  readonly verdict: Verdict
  /** What carries over to the next attestation, should this one be accepted; null of hardware that has no such state. */
  readonly nextState: State
  /** The rule that saw the TPM set back; undefined when none did. */
  readonly rollback: string | undefined
}

/**
 * An Attestation Result: what the policy makes of genuine Evidence. Made by {@link sealAttestationResult} alone, which
 * `appraise` and `appraiseHsm` call.
 *
 * @typeParam State null of hardware that measures no platform
 *
 * @see RFC 9334 §8.4
 */
export class AttestationResult<State extends PlatformState | null = PlatformState> {
  readonly #parts: AttestationResultParts<State>

  constructor(key: typeof seal, parts: AttestationResultParts<State>) {
    if (key !== seal) throw new TypeError('made by appraise alone')
    this.#parts = parts
  }

  get verdict(): Verdict {
    return this.#parts.verdict
  }

  get status(): AppraisalStatus {
    return this.verdict.status
  }

  /** Whether the policy admits a host with this result. */
  get isAccepted(): boolean {
    return this.verdict.accepted
  }

  /** The rule that decided. */
  get rule(): string {
    return this.verdict.rule
  }

  get assurance(): AssuranceLevel {
    if (this.verdict.assurance === null) throw new TypeError('genuine Evidence has a level')
    return this.verdict.assurance
  }

  get policyId(): string {
    return this.verdict.policy.id
  }

  get evidenceSha256(): string {
    return this.verdict.evidenceSha256
  }

  get issuedAt(): Date {
    return new Date(this.verdict.issuedAt)
  }

  get expiresAt(): Date {
    return new Date(this.verdict.expiresAt)
  }

  get nextState(): State {
    return this.#parts.nextState
  }

  get rollback(): string | undefined {
    return this.#parts.rollback
  }

  toJSON(): Verdict {
    return this.verdict
  }
}

/** For the appraisal; nobody else has verified Evidence to make it of. */
export function sealAttestationResult<State extends PlatformState | null>(
  parts: AttestationResultParts<State>,
): AttestationResult<State> {
  return new AttestationResult(seal, parts)
}
