import type { AttestationResult } from '../core/appraisal/attestation-result.ts'
import type { AuditEntry, HostRecord } from '../ports/records.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { auditEntry } from './audit-entry.ts'
import { evidenceFacts, recordRefusal } from './enrollment-refusal.ts'
import type { VerifiedAttempt } from './enrollment.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/**
 * Admits the host of an accepted attestation, or renews its record: state, verdict and Evidence in one transaction
 * with the entry in the log.
 *
 * @throws ServiceError `host-revoked`, `attestation-superseded`, `host-name-in-use`, `key-in-use`
 */
export async function admitHost(
  service: Service,
  attempt: VerifiedAttempt,
  result: AttestationResult,
  kept: KeptAttestation,
): Promise<HostRecord> {
  const { subjectKey } = attempt.verified
  const host = recordOf(attempt, result)
  const key = { jkt: host.jkt, jwk: JSON.stringify(subjectKey.jwk) }
  const entry = entryOf(service, attempt, host, kept)
  const answer = await service.store.hosts.admit(host, key, kept, entry)
  if (answer === 'done') return host
  throw await recordRefusal(service, attempt.enrollment, refusalOf(answer, host))
}

function recordOf(attempt: VerifiedAttempt, result: AttestationResult): HostRecord {
  const { enrollment, host: before } = attempt
  return {
    id: attempt.hostId,
    name: enrollment.name,
    endorsementId: attempt.endorsement,
    attestationPublic: enrollment.attestationPublic,
    assurance: result.assurance,
    status: 'active',
    enrolledAt: before?.enrolledAt ?? result.issuedAt.getTime(),
    attestedAt: result.issuedAt.getTime(),
    attestationExpiresAt: result.expiresAt.getTime(),
    evidenceSha256: result.evidenceSha256,
    attestationResult: JSON.stringify(result),
    attestationId: attempt.id,
    platformState: JSON.stringify(result.nextState),
    stateVersion: (before?.stateVersion ?? 0) + 1,
    jkt: attempt.verified.subjectKey.jkt,
    revokedAt: null,
    revocationReason: null,
    ...firmwareOf(attempt),
  }
}

/** As the TPM signed it; whose it is, its certificate says. */
function firmwareOf({
  verified,
}: VerifiedAttempt): Pick<HostRecord, 'firmwareVendor' | 'firmwareVersion'> {
  return {
    firmwareVendor: verified.endorsementKey.vendor ?? null,
    firmwareVersion: verified.facts.firmwareVersion.toString(16).padStart(16, '0'),
  }
}

/** What changed since the host was seen last stands in the entry: another name, another key, reboots. */
function entryOf(
  service: Service,
  attempt: VerifiedAttempt,
  host: HostRecord,
  kept: KeptAttestation,
): AuditEntry {
  const { host: before, before: state, verified } = attempt
  const { resetCount } = verified.facts.clockInfo
  return auditEntry(service, 'host.enrolled', `enrollment/${attempt.enrollment.id}`, host.id, {
    name: host.name,
    endorsement: host.endorsementId,
    endorsed: attempt.endorsementKind,
    assurance: host.assurance,
    ...evidenceFacts(kept),
    jkt: host.jkt,
    ...(before === undefined ? {} : { formerly: before.attestationId }),
    ...(before === undefined || before.name === host.name ? {} : { formerName: before.name }),
    ...(state === undefined ? {} : { reboots: Math.max(0, resetCount - state.resetCount) }),
  })
}

type Refusal = 'revoked' | 'state-changed' | 'name-in-use' | 'key-in-use'

function refusalOf(answer: Refusal, host: HostRecord): ServiceError {
  const refusals = {
    revoked: ['host-revoked', host.id],
    'state-changed': ['attestation-superseded', host.id],
    'name-in-use': ['host-name-in-use', host.name],
    'key-in-use': ['key-in-use', host.jkt],
  } as const
  const [code, found] = refusals[answer]
  return new ServiceError(code, { found })
}
