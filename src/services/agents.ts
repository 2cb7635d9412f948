import type { AgentRecord, HostRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { createKeyChallenge, keyChallengeView, type KeyChallenge } from './challenge.ts'
import { ServiceError } from './error.ts'
import { agentSpiffeId, createId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * Creates an agent of a class on the calling host; it is `pending` until its key is proven with the challenge.
 *
 * @throws ServiceError `class-unknown`, `class-not-on-host`, `class-revoked`, `host-revoked`
 */
export async function createAgent(
  service: Service,
  host: HostRecord,
  actor: string,
  className: string,
): Promise<{ agent: AgentRecord; challenge: KeyChallenge }> {
  await requireClassOnHost(service, className, host.id)
  const agent: AgentRecord = {
    id: createId(service),
    className,
    hostId: host.id,
    status: 'pending',
    jkt: null,
    createdAt: service.clock.now(),
    createdBy: actor,
    revokedAt: null,
    revocationReason: null,
  }
  const record = createKeyChallenge(service, host, { purpose: 'agent-key', subject: agent.id })
  const entry = auditEntry(
    service,
    'agent.created',
    actor,
    agentSpiffeId(service, className, agent.id),
    {
      class: className,
      host: host.id,
    },
  )
  const answer = await service.store.agents.create(agent, record, entry)
  if (answer === 'host-revoked') throw new ServiceError('host-revoked', { found: host.id })
  if (answer === 'class-revoked') throw new ServiceError('class-revoked', { found: className })
  return { agent, challenge: keyChallengeView(service, record) }
}

/**
 * A fresh challenge to prove a first or a new key of an agent, for its host.
 *
 * @throws ServiceError `agent-unknown`, `agent-not-here`, `agent-revoked`
 */
export async function challengeAgent(
  service: Service,
  host: HostRecord,
  actor: string,
  agentId: string,
): Promise<KeyChallenge> {
  const agent = await requireAgentOnHost(service, agentId, host.id)
  const record = createKeyChallenge(service, host, { purpose: 'agent-key', subject: agent.id })
  const subject = agentSpiffeId(service, agent.className, agent.id)
  await service.store.challenges.create(
    record,
    auditEntry(service, 'agent.challenged', actor, subject),
  )
  return keyChallengeView(service, record)
}

/** @throws ServiceError `agent-unknown`, `agent-not-here`, `agent-revoked` */
export async function requireAgentOnHost(
  service: Service,
  agentId: string,
  hostId: string,
): Promise<AgentRecord> {
  const agent = await service.store.agents.find(agentId)
  if (agent === undefined) throw new ServiceError('agent-unknown', { found: agentId })
  if (agent.hostId !== hostId) throw new ServiceError('agent-not-here', { found: agentId })
  if (agent.status === 'revoked') throw new ServiceError('agent-revoked', { found: agentId })
  return agent
}

async function requireClassOnHost(
  service: Service,
  className: string,
  hostId: string,
): Promise<void> {
  const agentClass = await service.store.classes.find(className)
  if (agentClass === undefined) throw new ServiceError('class-unknown', { found: className })
  const { hosts } = agentClass
  if (!hosts.includes('*') && !hosts.includes(hostId)) {
    throw new ServiceError('class-not-on-host', { expected: hosts.join(' '), found: hostId })
  }
}
