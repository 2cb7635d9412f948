import type { AgentRecord } from '../../ports/records.ts'
import type { AgentRow } from '../schema.ts'

export function encodeAgent(agent: AgentRecord): AgentRow {
  return {
    id: agent.id,
    class_name: agent.className,
    host_id: agent.hostId,
    status: agent.status,
    jkt: agent.jkt,
    created_at: agent.createdAt,
    created_by: agent.createdBy,
    revoked_at: agent.revokedAt,
    revocation_reason: agent.revocationReason,
    revocation: null,
  }
}

export function parseAgent(row: AgentRow): AgentRecord {
  return {
    id: row.id,
    className: row.class_name,
    hostId: row.host_id,
    status: row.status as AgentRecord['status'],
    jkt: row.jkt,
    createdAt: row.created_at,
    createdBy: row.created_by,
    revokedAt: row.revoked_at,
    revocationReason: row.revocation_reason,
  }
}
