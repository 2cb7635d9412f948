import type { AnchorKind, AnchorRecord, AssuranceLevel } from '../../ports/records.ts'
import type { AnchorRow } from '../policy-rows.ts'
import { exactBytes } from './bytes.ts'

export function encodeAnchor(anchor: AnchorRecord): AnchorRow {
  return {
    fingerprint: anchor.fingerprint,
    certificate: exactBytes(anchor.certificate),
    vendor: anchor.vendor,
    name: anchor.name,
    assurance: anchor.assurance,
    added_at: anchor.addedAt,
    added_by: anchor.addedBy,
    kind: anchor.kind,
    status: anchor.status,
    source: anchor.source,
    not_after: anchor.notAfter,
    since_version: anchor.sinceVersion,
    until_version: anchor.untilVersion,
    approved_at: anchor.approvedAt,
    approved_by: anchor.approvedBy,
    retired_at: anchor.retiredAt,
    retired_by: anchor.retiredBy,
    retirement_reason: anchor.retirementReason,
  }
}

export function parseAnchor(row: AnchorRow): AnchorRecord {
  return {
    fingerprint: row.fingerprint,
    certificate: row.certificate,
    vendor: row.vendor,
    name: row.name,
    assurance: row.assurance as AssuranceLevel,
    kind: row.kind as AnchorKind,
    status: row.status as AnchorRecord['status'],
    source: row.source,
    notAfter: row.not_after,
    addedAt: row.added_at,
    addedBy: row.added_by,
    sinceVersion: row.since_version,
    untilVersion: row.until_version,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
    retiredAt: row.retired_at,
    retiredBy: row.retired_by,
    retirementReason: row.retirement_reason,
  }
}
