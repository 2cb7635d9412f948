import type { DetailType } from '../../core/token/authorization-details.ts'
import type { AgentClassRecord } from '../../ports/records.ts'
import type { AgentClassRow } from '../schema.ts'
import { parseStringList } from './bytes.ts'

export function encodeAgentClass(agentClass: AgentClassRecord): AgentClassRow {
  return {
    name: agentClass.name,
    audiences: JSON.stringify(agentClass.audiences),
    scopes: JSON.stringify(agentClass.scopes),
    hosts: JSON.stringify(agentClass.hosts),
    token_lifetime_seconds: agentClass.tokenLifetimeSeconds,
    authorization_details: JSON.stringify(agentClass.authorizationDetails),
    client_ids: JSON.stringify(agentClass.clientIds),
    created_at: agentClass.createdAt,
    created_by: agentClass.createdBy,
    owner: agentClass.owner,
    environment: agentClass.environment,
    sensitivity: agentClass.sensitivity,
  }
}

export function parseAgentClass(row: AgentClassRow): AgentClassRecord {
  return {
    name: row.name,
    audiences: parseStringList(row.audiences),
    scopes: parseStringList(row.scopes),
    hosts: parseStringList(row.hosts),
    tokenLifetimeSeconds: row.token_lifetime_seconds,
    authorizationDetails: JSON.parse(row.authorization_details) as DetailType[],
    clientIds: parseStringList(row.client_ids),
    createdAt: row.created_at,
    createdBy: row.created_by,
    owner: row.owner,
    environment: row.environment,
    sensitivity: row.sensitivity as AgentClassRecord['sensitivity'],
  }
}
