import type {
  RevocationListKind,
  RevocationListRecord,
  RevocationListSummary,
} from '../../ports/records.ts'
import type { RevocationListSummaryRow } from '../operations/revocation-lists.ts'
import type { RevocationListRow } from '../policy-rows.ts'
import { exactBytes } from './bytes.ts'

/** CRL numbers have twenty octets at most (RFC 5280 §5.2.3). */
const numberDigits = 40

export function encodeRevocationList(list: RevocationListRecord): RevocationListRow {
  return {
    slot: list.slot,
    id: list.id,
    kind: list.kind,
    issuer: list.issuer,
    issuer_fingerprint: list.issuerFingerprint,
    scope: list.scope,
    number: list.number.toString(16).padStart(numberDigits, '0'),
    this_update: list.thisUpdate,
    next_update: list.nextUpdate,
    revoked: list.revoked,
    bytes: exactBytes(list.bytes),
    source: list.source,
    added_at: list.addedAt,
    added_by: list.addedBy,
  }
}

export function parseRevocationListSummary(row: RevocationListSummaryRow): RevocationListSummary {
  return {
    slot: row.slot,
    id: row.id,
    kind: row.kind as RevocationListKind,
    issuer: row.issuer,
    issuerFingerprint: row.issuer_fingerprint,
    scope: row.scope,
    number: BigInt(`0x${row.number}`),
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    revoked: row.revoked,
    source: row.source,
    addedAt: row.added_at,
    addedBy: row.added_by,
  }
}
