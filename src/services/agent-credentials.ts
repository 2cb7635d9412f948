import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import type { VerifiedSubjectKey } from '../core/verifier/subject-key.ts'
import type { ChallengeRecord } from '../ports/credential-records.ts'
import type { AgentRecord, ClientRecord, HostRecord } from '../ports/records.ts'
import { requireAgentOnHost } from './agents.ts'
import { requireAttestedBoot } from './attested-boot.ts'
import { auditEntry } from './audit-entry.ts'
import { requireTaken } from './challenge.ts'
import { ServiceError } from './error.ts'
import { explainRevocation } from './explain-revocation.ts'
import { registeredJktOf } from './hsm-keys.ts'
import { issuePrepared, prepareIssuance, type IssuedCertificate } from './issuance.ts'
import { verifyKeyEvidence, type KeyEvidence } from './key-evidence.ts'
import { agentSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * Proves a key of an agent, makes it the agent's key, and issues a certificate for exactly that key: first issue and
 * rekey alike. Called by the agent's host.
 *
 * @throws ServiceError `agent-unknown`, `agent-not-here`, `agent-revoked`, `challenge-…`, `key-in-use`, `hsm-key-retired`,
 *   `attestation-outdated`, `attestation-superseded`; EvidenceError with the checks that ran
 */
export async function proveAgentKey(
  service: Service,
  host: HostRecord,
  actor: string,
  agentId: string,
  evidence: KeyEvidence,
  sourceAddress?: string,
): Promise<{ agent: AgentRecord; certificate: IssuedCertificate }> {
  const agent = await requireAgentOnHost(service, agentId, host.id)
  const use = { id: evidence.challenge, subject: agentId, purpose: 'agent-key' } as const
  const taken = await service.store.challenges.take(use, service.clock.now())
  const key = await verifyAgentKey(service, host, actor, agent, requireTaken(taken), evidence)
  const bound = { ...agent, status: 'active', jkt: key.jkt } as const
  const agentClass = await service.store.classes.find(agent.className)
  if (agentClass === undefined) throw new ServiceError('class-unknown', { found: agent.className })
  const prepared = await prepareIssuance(service, {
    kind: 'agent',
    id: agent.id,
    spiffeId: agentSpiffeId(service, agent.className, agent.id),
    principal: { kind: 'agent', agent: bound, host, agentClass },
    sourceAddress,
    key,
    attestation: host,
  })
  // The former key and its certificates fall with this: not before the new certificate is permitted.
  await bindAgentKey(service, actor, agent, key)
  return { agent: bound, certificate: await issuePrepared(service, prepared) }
}

async function verifyAgentKey(
  service: Service,
  host: HostRecord,
  actor: string,
  agent: AgentRecord,
  challenge: ChallengeRecord,
  evidence: KeyEvidence,
): Promise<VerifiedSubjectKey | VerifiedHsmKey> {
  try {
    const use = { purpose: 'agent', contextId: agent.id, nonce: challenge.nonce } as const
    const key = await verifyKeyEvidence(service, host, use, evidence)
    await requireAttestedBoot(service, host, challenge, key)
    return key
  } catch (cause) {
    if (cause instanceof EvidenceError || cause instanceof ServiceError) {
      const subject = agentSpiffeId(service, agent.className, agent.id)
      await service.store.audit.append(
        auditEntry(service, 'agent.refused', actor, subject, { code: cause.code }),
      )
    }
    throw cause
  }
}

async function bindAgentKey(
  service: Service,
  actor: string,
  agent: AgentRecord,
  key: VerifiedSubjectKey | VerifiedHsmKey,
): Promise<void> {
  const subject = agentSpiffeId(service, agent.className, agent.id)
  const entry = auditEntry(service, 'agent.key-bound', actor, subject, { jkt: key.jkt })
  const record = { jkt: key.jkt, jwk: JSON.stringify(key.jwk), provenAt: entry.time }
  const voucher = registeredJktOf(key)
  const answer = await service.store.agents.bindKey(agent.id, record, entry, voucher)
  if (answer === 'unknown') throw new ServiceError('agent-unknown', { found: agent.id })
  if (answer === 'revoked') throw new ServiceError('agent-revoked', { found: agent.id })
  if (answer === 'host-revoked') throw new ServiceError('host-revoked', { found: agent.hostId })
  if (answer === 'hsm-key-retired') throw new ServiceError(answer, { found: voucher ?? '' })
  if (answer === 'key-in-use') throw new ServiceError('key-in-use', { found: key.jkt })
}

/**
 * The caller of a request as an active host, as it stands in the store at this moment.
 *
 * @throws ServiceError `caller-not-permitted`, `host-revoked`, `key-superseded`
 */
export async function requireHostCaller(
  service: Service,
  client: ClientRecord,
): Promise<HostRecord> {
  if (client.kind !== 'host')
    throw new ServiceError('caller-not-permitted', { expected: 'a host', found: client.kind })
  const host = await service.store.hosts.find(client.host.id)
  if (host?.status !== 'active' || host.jkt !== client.key.jkt)
    throw await explainRevocation(service, client.key.jkt)
  return host
}
