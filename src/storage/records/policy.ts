import type { PolicyActivation, PolicyRecord } from '../../ports/records.ts'
import type { PolicyActivationRow, PolicyRow } from '../policy-rows.ts'

export function encodePolicy(policy: PolicyRecord): PolicyRow {
  return {
    version: policy.version,
    id: policy.id,
    document: policy.document,
    created_at: policy.createdAt,
    created_by: policy.createdBy,
  }
}

export function parsePolicyRow(row: PolicyRow): PolicyRecord {
  return {
    version: row.version,
    id: row.id,
    document: row.document,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }
}

export function encodeActivation(activation: PolicyActivation): PolicyActivationRow {
  return {
    sequence: activation.sequence,
    version: activation.version,
    activated_at: activation.at,
    activated_by: activation.by,
    jws: activation.jws,
  }
}

export function parseActivation(row: PolicyActivationRow): PolicyActivation {
  return {
    sequence: row.sequence,
    version: row.version,
    at: row.activated_at,
    by: row.activated_by,
    jws: row.jws,
  }
}
