import { createHash } from 'node:crypto'
import type { AuditEntry, HostRecord } from '../ports/records.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { auditEntry } from './audit-entry.ts'
import { evidenceFacts, recordRefusal } from './enrollment-refusal.ts'
import type { JudgedAttempt } from './judged-attempt.ts'
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
  attempt: JudgedAttempt,
  kept: KeptAttestation,
): Promise<HostRecord> {
  const host = recordOf(attempt, kept)
  const key = { jkt: host.jkt, jwk: JSON.stringify(attempt.key.jwk) }
  const entry = entryOf(service, attempt, host, kept)
  const answer = await service.store.hosts.admit(host, key, kept, entry)
  if (answer === 'done') return host
  throw await recordRefusal(service, attempt.enrollment, refusalOf(answer, host))
}

function recordOf(attempt: JudgedAttempt, kept: KeptAttestation): HostRecord {
  const { enrollment, host: before, result } = attempt
  return {
    id: attempt.hostId,
    name: enrollment.name,
    endorsementId: attempt.endorsement,
    attestationPublic: attempt.attestationPublic,
    assurance: result.assurance,
    status: 'active',
    enrolledAt: before?.enrolledAt ?? result.issuedAt.getTime(),
    attestedAt: result.issuedAt.getTime(),
    attestationExpiresAt: result.expiresAt.getTime(),
    evidenceSha256: result.evidenceSha256,
    earSha256: createHash('sha256').update(kept.attestation.ear).digest('hex'),
    attestationResult: JSON.stringify(result),
    attestationId: attempt.id,
    platformState: result.nextState && JSON.stringify(result.nextState),
    stateVersion: (before?.stateVersion ?? 0) + 1,
    jkt: attempt.key.jkt,
    revokedAt: null,
    revocationReason: null,
    ...attempt.firmware,
  }
}

/** What changed since the host was seen last stands in the entry: another name, another key, reboots. */
function entryOf(
  service: Service,
  attempt: JudgedAttempt,
  host: HostRecord,
  kept: KeptAttestation,
): AuditEntry {
  const { host: before, reboots } = attempt
  return auditEntry(service, 'host.enrolled', `enrollment/${attempt.enrollment.id}`, host.id, {
    name: host.name,
    endorsement: host.endorsementId,
    endorsed: attempt.endorsementKind,
    assurance: host.assurance,
    ...evidenceFacts(kept),
    jkt: host.jkt,
    ...(before === undefined ? {} : { formerly: before.attestationId }),
    ...(before === undefined || before.name === host.name ? {} : { formerName: before.name }),
    ...(reboots === undefined ? {} : { reboots }),
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
