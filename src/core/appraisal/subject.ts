import type { BootFacts } from '../eventlog/boot-facts.ts'
import type { HsmEndorsementKind, HsmFacts } from '../formats/hsm/verified.ts'
import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { FirmwareAdvisory } from './firmware-advisory.ts'
import type { ObservedPlatform, PlatformState } from './platform-state.ts'
import type { PolicyDocument } from './policy.ts'
import type { ImaFacts } from './rules/ima.ts'

/**
 * How the service came to take hardware for real: by its maker's certificate; by an operator's word on the endorsement
 * key of a TPM (`listed`, `approved`) or the attestation key of an HSM (`registered`); or by its own look at the token.
 */
export type EndorsementKind = 'certificate' | 'listed' | 'approved' | HsmEndorsementKind

/** What rules may look at whatever the hardware is. */
export interface CommonSubject {
  readonly now: Date
  readonly policy: PolicyDocument
  readonly endorsement: {
    readonly kind: EndorsementKind
    /** TCG vendor id (`id:49465800`), or how policies name the maker of an HSM; undefined where nothing says. */
    readonly vendor: string | undefined
    readonly assurance: AssuranceLevel
  }
  /** When the nonce was made: the Evidence is younger. */
  readonly challengedAt: Date
}

/** All that rules may look at of a host with an HSM. It boots as it likes: nothing of that is measured. */
export interface HsmSubject extends CommonSubject {
  readonly hsm: HsmFacts
}

/** All that rules may look at of a host with a TPM: what was verified, what was known before, and nothing else. */
export interface AppraisalSubject extends CommonSubject {
  readonly platform: ObservedPlatform
  /** Values of the quoted PCRs of the SHA-256 bank by number; hex. */
  readonly pcrs: ReadonlyMap<number, string>
  /** What the event log shows of the boot; undefined where the host sent none. */
  readonly boot: BootFacts | undefined
  /** What the list of IMA shows; undefined where the host sent none, or no rule asks for it. */
  readonly ima: ImaFacts | undefined
  /** What the attestation before left; undefined at the first. */
  readonly before: PlatformState | undefined
  readonly advisories: readonly FirmwareAdvisory[]
}
