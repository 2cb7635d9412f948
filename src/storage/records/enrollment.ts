import type { HsmEnrollment } from '../../ports/hsm-records.ts'
import type { EnrollmentRecord } from '../../ports/records.ts'
import type { EnrollmentRow } from '../schema.ts'
import { encodeByteList, exactBytes, parseByteList } from './bytes.ts'

export function encodeEnrollment(enrollment: EnrollmentRecord): EnrollmentRow {
  return {
    id: enrollment.id,
    name: enrollment.name,
    nonce: exactBytes(enrollment.nonce),
    secret: exactBytes(enrollment.secret),
    endorsement_certificate:
      enrollment.endorsementCertificate && exactBytes(enrollment.endorsementCertificate),
    endorsement_chain: encodeByteList(enrollment.endorsementChain),
    endorsement_public: exactBytes(enrollment.endorsementPublic),
    attestation_public: exactBytes(enrollment.attestationPublic),
    pcrs: JSON.stringify(enrollment.pcrs),
    host_state_version: enrollment.hostStateVersion,
    hsm: enrollment.hsm && JSON.stringify(enrollment.hsm),
    created_at: enrollment.createdAt,
    expires_at: enrollment.expiresAt,
    taken: 0,
  }
}

/** Of a row as it was before it was taken: with its secret. */
export function parseEnrollment(row: EnrollmentRow): EnrollmentRecord {
  if (row.secret === null) throw new TypeError('a taken enrolment has no secret')
  return {
    id: row.id,
    name: row.name,
    nonce: row.nonce,
    secret: row.secret,
    endorsementCertificate: row.endorsement_certificate,
    endorsementChain: parseByteList(row.endorsement_chain),
    endorsementPublic: row.endorsement_public,
    attestationPublic: row.attestation_public,
    pcrs: JSON.parse(row.pcrs) as number[],
    hostStateVersion: row.host_state_version,
    hsm: row.hsm === null ? null : (JSON.parse(row.hsm) as HsmEnrollment),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
