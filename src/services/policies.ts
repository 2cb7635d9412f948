import { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import type { PolicyDocument } from '../core/appraisal/policy.ts'
import type { PolicyActivation, PolicyRecord } from '../ports/records.ts'
import { activePolicy, loadPolicy } from './appraisal-policy.ts'
import { ServiceError } from './error.ts'
import {
  activateVersion,
  appraisalPolicies,
  findVersion,
  keepVersion,
  nextVersion,
  type ActivationRequest,
} from './policy-versions.ts'
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
  const version = await nextVersion(service, appraisalPolicies)
  const { id, text } = AppraisalPolicy.prepare(document, version)
  const detail = { name: document.name }
  return keepVersion(service, appraisalPolicies, actor, { version, id, document: text, detail })
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
  return findVersion(service, appraisalPolicies, version)
}

/**
 * Puts a version into force.
 *
 * @throws AppraisalError `activation-…`, `policy-…`; ServiceError `policy-unknown`, `policy-emulated`,
 *   `policy-conflict`, `caller-not-permitted`
 */
export async function activatePolicy(
  service: Service,
  caller: ActivationRequest['caller'],
  version: number,
  jws: string,
): Promise<PolicyActivation> {
  const policy = loadPolicy(await findPolicy(service, version))
  requireNoEmulation(service, policy.document)
  const { activation: current } = await activePolicy(service)
  const kept = { version, id: policy.id, detail: {} }
  return activateVersion(service, appraisalPolicies, kept, { caller, current, jws })
}
