import type { EndorsementRecord, EndorsementStatus } from '../../ports/records.ts'
import type { EndorsementRow } from '../policy-rows.ts'

export function encodeEndorsement(endorsement: EndorsementRecord): EndorsementRow {
  return {
    id: endorsement.id,
    status: endorsement.status,
    host_name: endorsement.hostName,
    first_seen: endorsement.firstSeen,
    decided_at: endorsement.decidedAt,
    decided_by: endorsement.decidedBy,
  }
}

export function parseEndorsement(row: EndorsementRow): EndorsementRecord {
  return {
    id: row.id,
    status: row.status as EndorsementStatus,
    hostName: row.host_name,
    firstSeen: row.first_seen,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
  }
}
