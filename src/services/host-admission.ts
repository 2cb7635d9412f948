import { createHash } from 'node:crypto'
import type { AuditEntry, HostRecord } from '../ports/records.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { auditEntry } from './audit-entry.ts'
import type { DecisionRecord } from '../core/authorization/replay.ts'
import { authorize } from './authorization.ts'
import { evidenceFacts, recordRefusal } from './enrollment-refusal.ts'
import type { JudgedAttempt } from './judged-attempt.ts'
import { ServiceError } from './error.ts'
import { registeredJktOf } from './hsm-keys.ts'
import type { Service } from './service.ts'

/** An attempt, and where it came from. */
interface AdmissionAttempt extends JudgedAttempt {
  readonly sourceAddress: string | undefined
}

/**
 * Admits the host of an accepted attestation, or renews its record: state, verdict and Evidence in one transaction
 * with the entry in the log.
 *
 * @throws ServiceError `host-revoked`, `endorsement-revoked`, `anchor-revoked`, `firmware-revoked`,
 *   `attestation-superseded`, `host-name-in-use`, `key-in-use`, `hsm-key-retired`,
 *   `authorization-denied`, `authorization-failed`
 */
export async function admitHost(
  service: Service,
  attempt: AdmissionAttempt,
  kept: KeptAttestation,
): Promise<HostRecord> {
  const host = recordOf(attempt, kept)
  const { jkt, attestedAt: provenAt } = host
  const key = { jkt, jwk: JSON.stringify(attempt.key.jwk), provenAt }
  const decision = await authorizeHost(service, attempt, host)
  const entry = entryOf(service, attempt, host, kept, decision)
  const voucher = registeredJktOf(attempt.key)
  const { hosts } = service.store
  const answer = await hosts.admit(host, key, kept, entry, attempt.anchors, voucher)
  if (answer === 'done') return host
  throw await recordRefusal(service, attempt.enrollment, refusalOf(answer, host, voucher))
}

/** The policies on a host that is as it would be admitted. */
async function authorizeHost(
  service: Service,
  { enrollment, sourceAddress }: AdmissionAttempt,
  host: HostRecord,
): Promise<DecisionRecord> {
  try {
    const { record } = await authorize(service, {
      action: 'enrol',
      principal: { kind: 'host', host },
      audience: service.settings.issuer,
      scopes: [],
      lifetimeSeconds: 0,
      sourceAddress,
    })
    return record
  } catch (cause) {
    throw await recordRefusal(service, enrollment, cause)
  }
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
    restartSeenAt: null,
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
  authorization: DecisionRecord,
): AuditEntry {
  const { host: before, reboots } = attempt
  return auditEntry(service, 'host.enrolled', `enrollment/${attempt.enrollment.id}`, host.id, {
    name: host.name,
    endorsement: host.endorsementId,
    endorsed: attempt.endorsementKind,
    assurance: host.assurance,
    ...evidenceFacts(kept),
    jkt: host.jkt,
    authorization,
    ...(before === undefined ? {} : { formerly: before.attestationId }),
    ...(before === undefined || before.name === host.name ? {} : { formerName: before.name }),
    ...(reboots === undefined ? {} : { reboots }),
  })
}

type Refusal =
  | 'revoked'
  | 'endorsement-revoked'
  | 'anchor-revoked'
  | 'firmware-revoked'
  | 'state-changed'
  | 'name-in-use'
  | 'key-in-use'
  | 'hsm-key-retired'

function refusalOf(answer: Refusal, host: HostRecord, voucher: string | null): ServiceError {
  const refusals = {
    revoked: ['host-revoked', host.id],
    'endorsement-revoked': ['endorsement-revoked', host.endorsementId],
    'anchor-revoked': ['anchor-revoked', host.name],
    'firmware-revoked': ['firmware-revoked', `${host.firmwareVendor} ${host.firmwareVersion}`],
    'state-changed': ['attestation-superseded', host.id],
    'name-in-use': ['host-name-in-use', host.name],
    'key-in-use': ['key-in-use', host.jkt],
    'hsm-key-retired': ['hsm-key-retired', voucher ?? ''],
  } as const
  const [code, found] = refusals[answer]
  return new ServiceError(code, { found })
}
