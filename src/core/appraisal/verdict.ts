import type { HsmFacts } from '../formats/hsm/verified.ts'
import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { Check } from '../verifier/check.ts'
import type { TrustworthinessVector } from './ar4si.ts'
import type { AppraisalStatus } from './status.ts'
import type { VerdictBoot, VerdictIma } from './verdict-boot.ts'

/** One line of a verdict that a policy's rule, or a rule of the platform's state, left. */
export interface RuleLine {
  /** The rule's id in the policy, or the name of a rule that always holds. */
  readonly rule: string
  readonly outcome: AppraisalStatus
  readonly expected?: string
  readonly found?: string
  /** On what the rule stands: specification with section and revision. */
  readonly source: string
}

/** Which policy was applied. */
export interface AppliedPolicy {
  /** `sha256:` and hex. */
  readonly id: string
  readonly version: number
}

/**
 * A verdict as it is kept, shown and explained: what ran, how each came out, and what decided. JSON as it stands.
 *
 * @see RFC 9334 §8.4
 */
export interface Verdict {
  readonly status: AppraisalStatus
  /** Whether the policy admits a host with this verdict. */
  readonly accepted: boolean
  /** Which line decided: the first of the worst; a check's code where the Evidence was refused before any rule. */
  readonly rule: string
  readonly assurance: AssuranceLevel | null
  readonly policy: AppliedPolicy
  /** Hex SHA-256 of the Evidence as it is kept. */
  readonly evidenceSha256: string
  /** ISO 8601, as the next. */
  readonly issuedAt: string
  readonly expiresAt: string
  readonly trustworthiness: TrustworthinessVector
  /** The verifier's checks in the order they ran. */
  readonly checks: readonly Check[]
  /** The rules, all of them. */
  readonly rules: readonly RuleLine[]
  /** What the TPM says of itself; null where no quote was verified, or the hardware is no TPM. */
  readonly platform: VerdictPlatform | null
  /** Absent where the host showed no event log. */
  readonly boot?: VerdictBoot
  /** Absent where no list of IMA was looked at. */
  readonly ima?: VerdictIma
  /** Present where an HSM holds the key. */
  readonly hsm?: VerdictHsm
}

/** Facts of an HSM and its key that a person may read: no serial number. */
export interface VerdictHsm {
  readonly vendor: string
  readonly manufacturer: string
  readonly model: string
  readonly firmware: string
  readonly properties: HsmFacts['properties']
}

/** Facts of the platform that a person may read: nothing that identifies the TPM. */
export interface VerdictPlatform {
  readonly vendor: string | null
  readonly firmwareVersion: string
  readonly resetCount: number
  readonly restartCount: number
  readonly clock: string
  readonly safe: boolean
  /** Reboots seen since the host was first admitted. */
  readonly reboots: number
}
