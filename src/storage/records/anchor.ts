import type { AnchorRecord, AssuranceLevel } from '../../ports/records.ts'
import type { AnchorRow } from '../schema.ts'
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
  }
}

export function parseAnchor(row: AnchorRow): AnchorRecord {
  return {
    fingerprint: row.fingerprint,
    certificate: row.certificate,
    vendor: row.vendor,
    name: row.name,
    assurance: row.assurance as AssuranceLevel,
    addedAt: row.added_at,
    addedBy: row.added_by,
  }
}
