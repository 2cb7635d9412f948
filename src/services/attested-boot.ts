import { bootDifference } from '../core/appraisal/boot-difference.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import { VerifiedSubjectKey } from '../core/verifier/subject-key.ts'
import type { ChallengeRecord } from '../ports/credential-records.ts'
import type { HostRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { hostSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * Holds a key's proof against what its host attested: a TPM that was restarted since has attested nothing of what runs
 * now. The host is marked, and nothing is issued to it or its agents before it is admitted again. HSMs count no starts.
 *
 * @param challenge the one that the proof answers: a proof is only compared with what was known when it was asked for
 * @throws ServiceError `attestation-outdated`; `attestation-superseded` where the host attested meanwhile
 */
export async function requireAttestedBoot(
  service: Service,
  host: HostRecord,
  challenge: ChallengeRecord,
  key: VerifiedSubjectKey | VerifiedHsmKey,
): Promise<void> {
  if (!(key instanceof VerifiedSubjectKey)) return
  if (challenge.stateVersion !== host.stateVersion)
    throw new ServiceError('attestation-superseded', { found: host.id })
  // A record from before states were kept says of no boot that it was attested.
  if (host.platformState === null) throw new ServiceError('attestation-outdated')
  const before = JSON.parse(host.platformState) as PlatformState
  const difference = bootDifference(before, key.facts)
  if (difference === undefined) return
  const { expected, found, rollback } = difference
  const subject = hostSpiffeId(service, host.id)
  const detail = { expected, found, ...(rollback === undefined ? {} : { rollback }) }
  const entry = auditEntry(service, 'host.restart-seen', 'service', subject, detail)
  await service.store.hosts.markRestarted(host.id, host.stateVersion, entry)
  throw new ServiceError('attestation-outdated', { expected, found })
}
