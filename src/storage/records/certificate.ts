import type { CertificateRecord } from '../../ports/credential-records.ts'
import type { CertificateRow } from '../schema.ts'

export function encodeCertificate(certificate: CertificateRecord): CertificateRow {
  return {
    serial: certificate.serial,
    subject_kind: certificate.subjectKind,
    subject_id: certificate.subjectId,
    spiffe_id: certificate.spiffeId,
    jkt: certificate.jkt,
    not_before: certificate.notBefore,
    not_after: certificate.notAfter,
    status: certificate.status,
    x5t: certificate.x5t,
    attestation_id: certificate.attestationId,
    revoked_at: certificate.revokedAt,
    revocation_reason: certificate.revocationReason,
    revocation: null,
    authority_id: certificate.authorityId,
    intended_at: certificate.intendedAt,
    tbs_sha256: certificate.tbsSha256,
    renewal: certificate.renewal,
    encoded: null,
  }
}

export function parseCertificate(row: CertificateRow): CertificateRecord {
  return {
    serial: row.serial,
    subjectKind: row.subject_kind as CertificateRecord['subjectKind'],
    subjectId: row.subject_id,
    spiffeId: row.spiffe_id,
    jkt: row.jkt,
    notBefore: row.not_before,
    notAfter: row.not_after,
    status: row.status as CertificateRecord['status'],
    x5t: row.x5t,
    attestationId: row.attestation_id,
    revokedAt: row.revoked_at,
    revocationReason: row.revocation_reason as CertificateRecord['revocationReason'],
    authorityId: row.authority_id,
    intendedAt: row.intended_at,
    tbsSha256: row.tbs_sha256,
    renewal: row.renewal,
  }
}
