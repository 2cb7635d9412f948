import type { AssuranceLevel, HostRecord, Status } from '../../ports/records.ts'
import type { HostRow } from '../schema.ts'
import { exactBytes } from './bytes.ts'

export function encodeHost(host: HostRecord): HostRow {
  return {
    id: host.id,
    name: host.name,
    endorsement_id: host.endorsementId,
    attestation_public: exactBytes(host.attestationPublic),
    assurance: host.assurance,
    status: host.status,
    enrolled_at: host.enrolledAt,
    attested_at: host.attestedAt,
    attestation_expires_at: host.attestationExpiresAt,
    evidence_sha256: host.evidenceSha256,
    ear_sha256: host.earSha256,
    attestation_result: host.attestationResult,
    jkt: host.jkt,
    revoked_at: host.revokedAt,
    revocation_reason: host.revocationReason,
    attestation_id: host.attestationId,
    platform_state: host.platformState,
    state_version: host.stateVersion,
    revocation: null,
    firmware_vendor: host.firmwareVendor,
    firmware_version: host.firmwareVersion,
    restart_seen_at: host.restartSeenAt,
  }
}

export function parseHost(row: HostRow): HostRecord {
  return {
    id: row.id,
    name: row.name,
    endorsementId: row.endorsement_id,
    attestationPublic: row.attestation_public,
    assurance: row.assurance as AssuranceLevel,
    status: row.status as Status,
    enrolledAt: row.enrolled_at,
    attestedAt: row.attested_at,
    attestationExpiresAt: row.attestation_expires_at,
    evidenceSha256: row.evidence_sha256,
    earSha256: row.ear_sha256,
    attestationResult: row.attestation_result,
    attestationId: row.attestation_id,
    platformState: row.platform_state,
    stateVersion: row.state_version,
    jkt: row.jkt,
    revokedAt: row.revoked_at,
    revocationReason: row.revocation_reason,
    firmwareVendor: row.firmware_vendor,
    firmwareVersion: row.firmware_version,
    restartSeenAt: row.restart_seen_at,
  }
}
