import type { ClientRecord } from '../../ports/records.ts'
import type { ClientRows } from '../operations/clients.ts'
import { parseAgent } from './agent.ts'
import { parseAgentClass } from './agent-class.ts'
import { parseClientKey } from './client-key.ts'
import { parseHost } from './host.ts'
import { parseOperator } from './operator.ts'

/** Undefined where a row is missing: a key without its client speaks for nobody. */
export function parseClient(rows: ClientRows): ClientRecord | undefined {
  const key = parseClientKey(rows.key)
  if (rows.operator !== undefined)
    return { kind: 'operator', key, operator: parseOperator(rows.operator) }
  if (rows.host === undefined) return undefined
  const host = parseHost(rows.host)
  if (rows.key.kind === 'host') return { kind: 'host', key, host }
  if (rows.agent === undefined || rows.agentClass === undefined) return undefined
  const agentClass = parseAgentClass(rows.agentClass)
  return { kind: 'agent', key, agent: parseAgent(rows.agent), host, agentClass }
}
