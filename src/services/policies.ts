import { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import type { PolicyDocument } from '../core/appraisal/policy.ts'
import { verifyActivation } from '../core/appraisal/policy-activation.ts'
import type { ClientRecord, PolicyActivation, PolicyRecord } from '../ports/records.ts'
import { activePolicy, loadPolicy } from './appraisal-policy.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/**
 * Keeps a policy as a new version; it decides nothing before it is activated.
 *
 * @throws AppraisalError `policy-…`; ServiceError `policy-emulated`, `policy-conflict`
 */
export async function proposePolicy(
  service: Service,
  actor: string,
  document: PolicyDocument,
): Promise<PolicyRecord> {
  requireNoEmulation(service, document)
  await activePolicy(service)
  const last = (await service.store.policies.list()).at(-1)?.version ?? 0
  const policy = AppraisalPolicy.prepare(document, last + 1)
  const record: PolicyRecord = {
    version: policy.version,
    id: policy.id,
    document: policy.text,
    createdAt: service.clock.now(),
    createdBy: actor,
  }
  const entry = auditEntry(service, 'policy.proposed', actor, `policy/${record.version}`, {
    policy: record.id,
    name: document.name,
  })
  if ((await service.store.policies.add(record, entry)) === 'conflict')
    throw new ServiceError('policy-conflict', { found: `version ${record.version}` })
  return record
}

/** What is software is admitted where the configuration says so by that word, and nowhere else. */
function requireNoEmulation(service: Service, document: PolicyDocument): void {
  const isAllowed = service.settings.attestation.assurance.includes('emulated')
  if (document.assurance.includes('emulated') && !isAllowed)
    throw new ServiceError('policy-emulated')
}

/** All versions, oldest first, and every activation. */
export async function listPolicies(
  service: Service,
): Promise<{ policies: PolicyRecord[]; activations: PolicyActivation[] }> {
  await activePolicy(service)
  const policies = await service.store.policies.list()
  return { policies, activations: await service.store.policies.listActivations() }
}

/** @throws ServiceError `policy-unknown` */
export async function findPolicy(service: Service, version: number): Promise<PolicyRecord> {
  await activePolicy(service)
  const policy = await service.store.policies.find(version)
  if (policy === undefined) throw new ServiceError('policy-unknown', { found: String(version) })
  return policy
}

/**
 * Puts a version into force: the operator's own signature over its digest stands behind it for as long as the log does.
 *
 * @param jws by the key of `client`; see `verifyActivation`
 * @throws AppraisalError `activation-…`, `policy-…`; ServiceError `policy-unknown`, `policy-emulated`,
 *   `policy-conflict`, `caller-not-permitted`
 */
export async function activatePolicy(
  service: Service,
  caller: { readonly client: ClientRecord; readonly id: string },
  version: number,
  jws: string,
): Promise<PolicyActivation> {
  if (caller.client.kind !== 'operator')
    throw new ServiceError('caller-not-permitted', { expected: 'an operator' })
  const policy = loadPolicy(await findPolicy(service, version))
  requireNoEmulation(service, policy.document)
  const current = await activePolicy(service)
  verifyActivation(jws, service.proofKeys.importOnce(caller.client.key), {
    aud: service.settings.issuer,
    policy: policy.id,
    version,
    replaces: current.policy.version,
    now: service.clock.now(),
  })
  return recordActivation(service, caller.id, policy, jws, current.activation.sequence + 1)
}

async function recordActivation(
  service: Service,
  actor: string,
  policy: AppraisalPolicy,
  jws: string,
  sequence: number,
): Promise<PolicyActivation> {
  const { version, id } = policy
  const activation = { sequence, version, at: service.clock.now(), by: actor, jws }
  const entry = auditEntry(service, 'policy.activated', actor, `policy/${version}`, {
    policy: id,
    jws,
  })
  const answer = await service.store.policies.activate(activation, entry)
  if (answer === 'unknown') throw new ServiceError('policy-unknown', { found: String(version) })
  if (answer === 'conflict') throw new ServiceError('policy-conflict', { found: String(version) })
  return activation
}
