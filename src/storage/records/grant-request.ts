import type { GrantRequestRecord } from '../../ports/grant-requests.ts'
import type { GrantRequestRow } from '../grant-rows.ts'
import { parseStringList } from './bytes.ts'

export function encodeGrantRequest(request: GrantRequestRecord): GrantRequestRow {
  return {
    id: request.id,
    digest: request.digest,
    agent_id: request.agentId,
    jkt: request.jkt,
    class_name: request.className,
    host_id: request.hostId,
    action: request.action,
    audience: request.audience,
    audiences: JSON.stringify(request.audiences),
    scopes: JSON.stringify(request.scopes),
    details: request.details,
    details_digest: request.detailsDigest,
    initiator: request.initiator,
    actors: JSON.stringify(request.actors),
    may_act: request.mayAct,
    policies: JSON.stringify(request.policies),
    max_minutes: request.maxMinutes,
    requested_at: request.requestedAt,
    status: request.status,
    expires_at: request.expiresAt,
    decided_at: request.decidedAt,
    decided_by: request.decidedBy,
    operator_id: request.operatorId,
    reason: request.reason,
    minutes: request.minutes,
    uses: request.uses,
    used_at: request.usedAt,
  }
}

export function parseGrantRequest(row: GrantRequestRow): GrantRequestRecord {
  return {
    id: row.id,
    digest: row.digest,
    agentId: row.agent_id,
    jkt: row.jkt,
    className: row.class_name,
    hostId: row.host_id,
    action: row.action,
    audience: row.audience,
    audiences: parseStringList(row.audiences),
    scopes: parseStringList(row.scopes),
    details: row.details,
    detailsDigest: row.details_digest,
    initiator: row.initiator,
    actors: parseStringList(row.actors),
    mayAct: row.may_act,
    policies: parseStringList(row.policies),
    maxMinutes: row.max_minutes,
    requestedAt: row.requested_at,
    status: row.status as GrantRequestRecord['status'],
    expiresAt: row.expires_at,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    operatorId: row.operator_id,
    reason: row.reason,
    minutes: row.minutes,
    uses: row.uses,
    usedAt: row.used_at,
  }
}
