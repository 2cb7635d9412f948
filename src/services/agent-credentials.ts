import { CodedError } from '../core/coded-error.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import { restoreAttestationKey } from '../core/verifier/attestation-key.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import { verifySubjectKey, type VerifiedSubjectKey } from '../core/verifier/subject-key.ts'
import { verifyRenewalRequest, type RenewalKey } from '../core/issuance/renewal-key.ts'
import type { AgentRecord, ChallengeRecord, ClientRecord, HostRecord } from '../ports/records.ts'
import { requireAgentOnHost } from './agents.ts'
import { auditEntry } from './audit-entry.ts'
import { requireTaken } from './challenge.ts'
import { requireTpm, verifyAgentHsmKey } from './agent-hsm-key.ts'
import { ServiceError } from './error.ts'
import type { HsmAnswer } from './hsm-evidence.ts'
import {
  issueCertificate,
  issuePrepared,
  prepareIssuance,
  type IssuedCertificate,
} from './issuance.ts'
import { agentSpiffeId, clientId, clientSpiffeId } from './naming.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Service } from './service.ts'

/** The host's proof that an agent's key lives in its hardware. Bytes, untrusted. */
export type AgentKeyEvidence = TpmKeyEvidence | HsmKeyEvidence

/** Of a key in a TPM. */
export interface TpmKeyEvidence {
  readonly hardware: 'tpm'
  readonly challenge: string
  readonly csr: Uint8Array
  readonly subjectKey: {
    readonly public: Uint8Array
    readonly parent: { readonly public: Uint8Array; readonly hierarchy: 'owner' | 'endorsement' }
    readonly certify: { readonly attest: Uint8Array; readonly signature: Uint8Array }
  }
}

/** Of a key in the host's HSM, at the level of the host. */
export interface HsmKeyEvidence extends HsmAnswer {
  readonly hardware: 'hsm'
  readonly challenge: string
}

/**
 * Proves a key of an agent, makes it the agent's key, and issues a certificate for exactly that key: first issue and
 * rekey alike. Called by the agent's host.
 *
 * @throws ServiceError `agent-unknown`, `agent-not-here`, `agent-revoked`, `challenge-…`, `key-in-use`;
 *   EvidenceError with the checks that ran
 */
export async function proveAgentKey(
  service: Service,
  host: HostRecord,
  actor: string,
  agentId: string,
  evidence: AgentKeyEvidence,
  sourceAddress?: string,
): Promise<{ agent: AgentRecord; certificate: IssuedCertificate }> {
  const agent = await requireAgentOnHost(service, agentId, host.id)
  const taken = await service.store.agents.takeChallenge(
    evidence.challenge,
    agentId,
    service.clock.now(),
  )
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
  evidence: AgentKeyEvidence,
): Promise<VerifiedSubjectKey | VerifiedHsmKey> {
  try {
    if (evidence.hardware === 'hsm')
      return await verifyAgentHsmKey(service, host, agent.id, challenge, evidence)
    requireTpm(host)
    return verifySubjectKey({
      attestationKey: restoreAttestationKey(host.attestationPublic),
      public: evidence.subjectKey.public,
      parent: evidence.subjectKey.parent,
      attest: evidence.subjectKey.certify.attest,
      signature: evidence.subjectKey.certify.signature,
      csr: evidence.csr,
      nonce: challenge.nonce,
      audience: service.settings.issuer,
      purpose: 'agent',
      contextId: agent.id,
    })
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
  const record = { jkt: key.jkt, jwk: JSON.stringify(key.jwk) }
  const answer = await service.store.agents.bindKey(agent.id, record, entry)
  if (answer === 'unknown') throw new ServiceError('agent-unknown', { found: agent.id })
  if (answer === 'revoked') throw new ServiceError('agent-revoked', { found: agent.id })
  if (answer === 'host-revoked') throw new ServiceError('host-revoked', { found: agent.hostId })
  if (answer === 'key-in-use') throw new ServiceError('key-in-use', { found: key.jkt })
}

/**
 * Renews the caller's own certificate for the key that its hardware proved before and that signed this request. A
 * new key is never taken on this way.
 *
 * @throws ServiceError `renewal-key-differs`, `attestation-expired`, `caller-not-permitted`
 */
export async function renewCertificate(
  service: Service,
  client: ClientRecord,
  csr: Uint8Array,
  sourceAddress?: string,
): Promise<IssuedCertificate> {
  if (client.kind === 'operator') throw new ServiceError('caller-not-permitted')
  const key = await proveRenewal(service, client, csr)
  const spiffeId = clientSpiffeId(service, client)
  const { kind, host } = client
  return issueCertificate(service, {
    kind,
    id: clientId(client),
    spiffeId,
    principal: client,
    sourceAddress,
    key,
    attestation: host,
  })
}

/** The key of the request, if it is the client's own; another one is a refusal for the log. */
async function proveRenewal(
  service: Service,
  client: ClientRecord,
  csr: Uint8Array,
): Promise<RenewalKey> {
  try {
    const key = verifyRenewalRequest(csr, service.proofKeys.importOnce(client.key))
    if (key !== undefined) return key
    throw new ServiceError('renewal-key-differs', { expected: client.key.jkt })
  } catch (cause) {
    if (cause instanceof CodedError) {
      const id = clientSpiffeId(service, client)
      await service.store.audit.append(
        auditEntry(service, 'certificate.refused', id, id, { code: cause.code }),
      )
    }
    throw cause
  }
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
