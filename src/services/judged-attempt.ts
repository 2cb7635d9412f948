import type { AttestationResult } from '../core/appraisal/attestation-result.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { EndorsementKind } from '../core/appraisal/subject.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import type { VerifiedSubjectKey } from '../core/verifier/subject-key.ts'
import type { HostRecord } from '../ports/records.ts'
import type { Attempt } from './attempt.ts'
import { recordRefusal } from './enrollment-refusal.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import { endorsementId, hostIdOf } from './naming.ts'
import type { Service } from './service.ts'

/** The host that hardware is known as. */
export interface KnownHost {
  /** Keyed hash of what names the hardware for life: an EK, or a token's maker and serial number. */
  readonly endorsement: string
  readonly hostId: string
  /** The host as it was before; undefined at its first enrolment. */
  readonly host: HostRecord | undefined
}

/** An answer that is genuine, and what the policy makes of it. */
export interface JudgedAttempt extends Attempt, KnownHost {
  readonly endorsementKind: EndorsementKind
  /** The key that the certificate will be for. */
  readonly key: VerifiedSubjectKey | VerifiedHsmKey
  readonly result: AttestationResult<PlatformState | null>
  /** What the attestation before left; undefined at the first, and of hardware that measures no platform. */
  readonly before: PlatformState | undefined
  /** TPMT_PUBLIC of the attestation key of a TPM; empty of an HSM, whose keys are each proven by themselves. */
  readonly attestationPublic: Uint8Array
  /** As a TPM signed it and its certificate says whose it is; null both of an HSM. */
  readonly firmware: Pick<HostRecord, 'firmwareVendor' | 'firmwareVersion'>
  /** Fingerprints of the certificates above a TPM's EK, hex SHA-256, each once; empty of an HSM. */
  readonly anchors: readonly string[]
  /** Reboots since the attestation before, where hardware tells. */
  readonly reboots: number | undefined
}

/**
 * The host of this hardware. Its state must be the one of when the challenge was made: only then is Evidence that shows
 * an earlier one a sign that the hardware was set back, and not of two answers that crossed.
 *
 * @param sha256 hex digest that names the hardware
 * @throws ServiceError `host-revoked`, `attestation-superseded`
 */
export async function findKnownHost(
  service: Service,
  { enrollment }: Attempt,
  sha256: string,
): Promise<KnownHost> {
  const endorsement = endorsementId(service, sha256)
  const host = await service.store.hosts.findByEndorsement(endorsement)
  const refuse = async (code: ServiceErrorCode): Promise<unknown> =>
    recordRefusal(service, enrollment, new ServiceError(code, { found: host?.id ?? '' }))
  if (host?.status === 'revoked') throw await refuse('host-revoked')
  if ((host?.stateVersion ?? 0) !== enrollment.hostStateVersion)
    throw await refuse('attestation-superseded')
  return { endorsement, hostId: host?.id ?? hostIdOf(service, endorsement), host }
}
