import type { BootFacts } from '../eventlog/boot-facts.ts'
import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { FirmwareAdvisory } from './firmware-advisory.ts'
import type { ObservedPlatform, PlatformState } from './platform-state.ts'
import type { PolicyDocument } from './policy.ts'
import type { ImaFacts } from './rules/ima.ts'

/** How the service came to take a key for the endorsement key of a real TPM. */
export type EndorsementKind = 'certificate' | 'listed' | 'approved'

/** All that rules may look at: what was verified, what was known before, and nothing else. */
export interface AppraisalSubject {
  readonly now: Date
  readonly policy: PolicyDocument
  readonly platform: ObservedPlatform
  /** Values of the quoted PCRs of the SHA-256 bank by number; hex. */
  readonly pcrs: ReadonlyMap<number, string>
  /** What the event log shows of the boot; undefined where the host sent none. */
  readonly boot: BootFacts | undefined
  /** What the list of IMA shows; undefined where the host sent none, or no rule asks for it. */
  readonly ima: ImaFacts | undefined
  readonly endorsement: {
    readonly kind: EndorsementKind
    /** TCG vendor id (`id:49465800`); undefined where no certificate names it. */
    readonly vendor: string | undefined
    readonly assurance: AssuranceLevel
  }
  /** When the nonce was made: the Evidence is younger. */
  readonly challengedAt: Date
  /** What the attestation before left; undefined at the first. */
  readonly before: PlatformState | undefined
  readonly advisories: readonly FirmwareAdvisory[]
}
