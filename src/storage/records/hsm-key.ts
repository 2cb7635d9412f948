import type { HsmKeyRecord } from '../../ports/hsm-records.ts'
import type { HsmKeyRow } from '../schema.ts'

export function encodeHsmKey(key: HsmKeyRecord): HsmKeyRow {
  return {
    jkt: key.jkt,
    jwk: key.jwk,
    name: key.name,
    manufacturer: key.manufacturer,
    model: key.model,
    token_id: key.tokenId,
    registered_at: key.registeredAt,
    registered_by: key.registeredBy,
    retired_at: key.retiredAt,
    retired_by: key.retiredBy,
    retirement_reason: key.retirementReason,
  }
}

export function parseHsmKey(row: HsmKeyRow): HsmKeyRecord {
  return {
    jkt: row.jkt,
    jwk: row.jwk,
    name: row.name,
    manufacturer: row.manufacturer,
    model: row.model,
    tokenId: row.token_id,
    registeredAt: row.registered_at,
    registeredBy: row.registered_by,
    retiredAt: row.retired_at,
    retiredBy: row.retired_by,
    retirementReason: row.retirement_reason,
  }
}
