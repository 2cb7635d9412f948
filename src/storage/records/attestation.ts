import type {
  AttestationRecord,
  AttestationStatus,
  AttestationSummary,
} from '../../ports/records.ts'
import type { KeptAttestation } from '../../ports/store.ts'
import type { AttestationSummaryRow, KeptRow } from '../operations/attestations.ts'
import type { AttestationRow } from '../policy-rows.ts'
import { exactBytes } from './bytes.ts'

/** Throws TypeError for a retention that would not even keep what is written. */
export function encodeKeptAttestation({ attestation, retention }: KeptAttestation): KeptRow {
  if (retention.perHost < 1 || retention.refused < 1)
    throw new TypeError('at least one attestation is kept')
  return { row: encodeAttestation(attestation), ...retention }
}

function encodeAttestation(attestation: AttestationRecord): Omit<AttestationRow, 'sequence'> {
  return {
    id: attestation.id,
    host_id: attestation.hostId,
    enrollment_id: attestation.enrollmentId,
    format: attestation.format,
    evidence: exactBytes(attestation.evidence),
    evidence_sha256: attestation.evidenceSha256,
    context: attestation.context,
    verdict: attestation.verdict,
    ear: attestation.ear,
    status: attestation.status,
    policy_id: attestation.policyId,
    appraised_at: attestation.appraisedAt,
    expires_at: attestation.expiresAt,
  }
}

export function parseAttestation(row: AttestationRow): AttestationRecord {
  const { evidence, context, verdict, ear } = row
  return { ...parseAttestationSummary(row), evidence, context, verdict, ear }
}

export function parseAttestationSummary(row: AttestationSummaryRow): AttestationSummary {
  return {
    id: row.id,
    hostId: row.host_id,
    enrollmentId: row.enrollment_id,
    format: row.format,
    evidenceSha256: row.evidence_sha256,
    status: row.status as AttestationStatus,
    policyId: row.policy_id,
    appraisedAt: row.appraised_at,
    expiresAt: row.expires_at,
  }
}
