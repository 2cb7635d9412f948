import type { ClientKeyRecord, SubjectKind } from '../../ports/records.ts'
import type { ClientKeyRow } from '../schema.ts'

/** A key as the present key of one client. */
export function encodeClientKey(
  key: ClientKeyRecord,
  kind: SubjectKind,
  subjectId: string,
): ClientKeyRow {
  return {
    jkt: key.jkt,
    kind,
    subject_id: subjectId,
    jwk: key.jwk,
    retired: 0,
    proven_at: key.provenAt,
  }
}

export function parseClientKey(row: ClientKeyRow): ClientKeyRecord {
  return { jkt: row.jkt, jwk: row.jwk, provenAt: row.proven_at }
}
