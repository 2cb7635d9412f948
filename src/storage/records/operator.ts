import type { OperatorRecord, OperatorRole, Status } from '../../ports/records.ts'
import type { OperatorRow } from '../schema.ts'
import { parseStringList } from './bytes.ts'

export function encodeOperator(operator: OperatorRecord): OperatorRow {
  return {
    id: operator.id,
    name: operator.name,
    role: operator.role,
    key_protection: operator.keyProtection,
    jkt: operator.jkt,
    status: operator.status,
    created_at: operator.createdAt,
    created_by: operator.createdBy,
    revocation: null,
    audiences: JSON.stringify(operator.audiences),
  }
}

export function parseOperator(row: OperatorRow): OperatorRecord {
  return {
    id: row.id,
    name: row.name,
    role: row.role as OperatorRole,
    keyProtection: row.key_protection as OperatorRecord['keyProtection'],
    jkt: row.jkt,
    status: row.status as Status,
    createdAt: row.created_at,
    createdBy: row.created_by,
    audiences: parseStringList(row.audiences),
  }
}
