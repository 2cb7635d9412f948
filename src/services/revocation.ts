import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** What one call took back. */
export interface Revoked {
  readonly id: string
  readonly agents: number
  readonly certificates: number
}

/**
 * Revokes a host with every agent, certificate and token under it, in one transaction. Asking twice is not an error.
 *
 * @throws ServiceError `host-unknown`
 */
export async function revokeHost(
  service: Service,
  actor: string,
  id: string,
  reason: string,
): Promise<Revoked> {
  const entry = auditEntry(service, 'host.revoked', actor, id, { reason })
  const answer = await service.store.hosts.revoke(id, { at: service.clock.now(), reason }, entry)
  if (answer === 'unknown') throw new ServiceError('host-unknown', { found: id })
  if (answer === 'state-changed') throw new TypeError('only evidence is bound to a state')
  if (answer === 'already') return { id, agents: 0, certificates: 0 }
  return { id, ...answer }
}

/**
 * Revokes one agent with its certificates and tokens. Asking twice is not an error.
 *
 * @throws ServiceError `agent-unknown`
 */
export async function revokeAgent(
  service: Service,
  actor: string,
  id: string,
  reason: string,
): Promise<Revoked> {
  const entry = auditEntry(service, 'agent.revoked', actor, id, { reason })
  const answer = await service.store.agents.revoke(id, { at: service.clock.now(), reason }, entry)
  if (answer === 'unknown') throw new ServiceError('agent-unknown', { found: id })
  if (answer === 'already') return { id, agents: 0, certificates: 0 }
  return { id, agents: 1, ...answer }
}

/**
 * Why a client that was known a moment ago is refused now: its host, itself, or its key was taken out of use. Reads
 * the store afresh; for the path of refusal only.
 *
 * @param jkt thumbprint of the key that it was known by
 */
export async function explainRevocation(
  service: Pick<Service, 'store'>,
  jkt: string,
): Promise<ServiceError> {
  const current = await service.store.clients.findByKey(jkt)
  if (current === undefined) return new ServiceError('key-superseded', { found: jkt })
  if (current.kind === 'operator')
    return new ServiceError('operator-revoked', { found: current.operator.id })
  if (current.host.status === 'revoked')
    return new ServiceError('host-revoked', { found: current.host.id })
  if (current.kind === 'agent' && current.agent.status === 'revoked')
    return new ServiceError('agent-revoked', { found: current.agent.id })
  // It is in use again by now: what was asked for was asked with something older.
  return new ServiceError('key-superseded', { found: jkt })
}
