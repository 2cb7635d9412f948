import { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import type { PolicyDocument } from '../core/appraisal/policy.ts'
import type { Rule } from '../core/appraisal/rule-table.ts'
import type { AssuranceLevel, PolicyActivation, PolicyRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** What finding the policy in force takes. */
type PolicyHolder = Pick<Service, 'settings' | 'store' | 'clock'>

/** The policy in force, and since when. */
export interface ActivePolicy {
  readonly policy: AppraisalPolicy
  readonly activation: PolicyActivation
}

/**
 * The Appraisal Policy that counts now. A service that has none yet begins with what its configuration states.
 *
 * @throws ServiceError `policy-conflict` when two processes begin at once
 */
export async function activePolicy(service: PolicyHolder): Promise<ActivePolicy> {
  const active =
    (await service.store.policies.findActive()) ?? (await beginWithConfiguration(service))
  return { policy: loadActive(service, active.policy), activation: active.activation }
}

/** The policy in force made ready once, by store: its allow-lists may be long. */
const ready = new WeakMap<object, AppraisalPolicy>()

function loadActive({ store }: PolicyHolder, record: PolicyRecord): AppraisalPolicy {
  const known = ready.get(store)
  if (known?.id === record.id && known.version === record.version) return known
  const policy = loadPolicy(record)
  ready.set(store, policy)
  return policy
}

/**
 * Follows the configuration for as long as no operator has activated a policy: a changed `attestation` section is a
 * new version. From the first activation by an operator on, the configuration has no more say in it.
 */
export async function followConfiguration(service: PolicyHolder): Promise<ActivePolicy> {
  const active = await activePolicy(service)
  const stated = AppraisalPolicy.prepare(configurationPolicy(service), 0)
  if (active.activation.jws !== null || active.policy.id === stated.id) return active
  const last = (await service.store.policies.list()).at(-1)?.version ?? 0
  await establish(service, stated, last + 1, active.activation.sequence + 1)
  return activePolicy(service)
}

/** A kept policy, checked again: what a newer version no longer understands is refused, not skipped. */
export function loadPolicy(record: PolicyRecord): AppraisalPolicy {
  return AppraisalPolicy.prepare(JSON.parse(record.document) as PolicyDocument, record.version)
}

/** The policy that the configuration's `attestation` section states. */
export function configurationPolicy(service: Pick<Service, 'settings'>): PolicyDocument {
  const { assurance, pcrs, referenceValues, validitySeconds } = service.settings.attestation
  return {
    name: 'configuration',
    assurance,
    pcrs: { sha256: [...new Set(pcrs)].sort((a, b) => a - b) },
    validitySeconds,
    minimumStatus: 'affirming',
    referenceValues: {},
    allowLists: {},
    rules: configurationRules(assurance, referenceValues),
  }
}

/** A level of HSM keys that the configuration names takes the word that this level rests on. */
const hsmKinds = { 'hsm-inspected': 'inspected', 'hsm-declared': 'registered' } as const

function configurationRules(
  assurance: readonly AssuranceLevel[],
  referenceValues: Readonly<Record<string, readonly string[]>>,
): Rule[] {
  const levels = ['hsm-inspected', 'hsm-declared'] as const
  const kinds = levels.filter(level => assurance.includes(level)).map(level => hsmKinds[level])
  const rules: Rule[] = [
    { kind: 'endorsement', id: 'endorsement', accept: ['certificate', ...kinds] },
    { kind: 'firmware-advisories', id: 'firmware-advisories', onMatch: 'refuse', except: [] },
  ]
  if (Object.keys(referenceValues).length > 0)
    rules.push({ kind: 'pcr-values', id: 'pcr-values', values: referenceValues })
  return rules
}

async function beginWithConfiguration(
  service: PolicyHolder,
): Promise<{ policy: PolicyRecord; activation: PolicyActivation }> {
  await establish(service, AppraisalPolicy.prepare(configurationPolicy(service), 0), 1, 1)
  const active = await service.store.policies.findActive()
  if (active === undefined) throw new ServiceError('policy-conflict')
  return active
}

/** Somebody else may be doing the same at this moment: who comes first counts, and it is the same policy. */
async function establish(
  service: PolicyHolder,
  policy: AppraisalPolicy,
  version: number,
  sequence: number,
): Promise<void> {
  const at = service.clock.now()
  const subject = `policy/${version}`
  const detail = { policy: policy.id, from: 'configuration' }
  await service.store.policies.add(
    { version, id: policy.id, document: policy.text, createdAt: at, createdBy: 'service' },
    auditEntry(service, 'policy.proposed', 'service', subject, detail),
  )
  await service.store.policies.activate(
    { sequence, version, at, by: 'service', jws: null },
    auditEntry(service, 'policy.activated', 'service', subject, detail),
  )
}
