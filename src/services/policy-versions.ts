import {
  activationType,
  authorizationActivationType,
  verifyActivation,
} from '../core/appraisal/policy-activation.ts'
import type { ClientRecord, PolicyActivation, PolicyRecord } from '../ports/records.ts'
import type { PolicyStore, Store } from '../ports/store.ts'
import { auditEntry, type AuditType } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** A kind of policy that is kept in versions, each put into force by an operator's signature. */
export interface PolicyKind {
  readonly store: (store: Store) => PolicyStore
  /** Of the versions, as subject in the log: `policy/2`. */
  readonly subject: string
  readonly proposed: AuditType
  readonly activated: AuditType
  /** `typ` of the operator's JWS. */
  readonly activationType: string
}

export const appraisalPolicies: PolicyKind = {
  store: store => store.policies,
  subject: 'policy',
  proposed: 'policy.proposed',
  activated: 'policy.activated',
  activationType,
}

export const authorizationPolicies: PolicyKind = {
  store: store => store.authorizationPolicies,
  subject: 'authorization',
  proposed: 'authorization.proposed',
  activated: 'authorization.activated',
  activationType: authorizationActivationType,
}

/** What is kept, and what the log says of it besides its digest. */
export interface PolicyVersion {
  readonly version: number
  /** Digest of `document`. */
  readonly id: string
  readonly document: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** The number of the next version. */
export async function nextVersion(
  service: Pick<Service, 'store'>,
  kind: PolicyKind,
): Promise<number> {
  return ((await kind.store(service.store).list()).at(-1)?.version ?? 0) + 1
}

/**
 * Keeps a policy as a new version; it decides nothing before it is activated.
 *
 * @throws ServiceError `policy-conflict`
 */
export async function keepVersion(
  service: Pick<Service, 'store' | 'clock'>,
  kind: PolicyKind,
  actor: string,
  { version, id, document, detail }: PolicyVersion,
): Promise<PolicyRecord> {
  const record = { version, id, document, createdAt: service.clock.now(), createdBy: actor }
  const subject = `${kind.subject}/${version}`
  const entry = auditEntry(service, kind.proposed, actor, subject, { policy: id, ...detail })
  if ((await kind.store(service.store).add(record, entry)) === 'conflict')
    throw new ServiceError('policy-conflict', { found: `version ${version}` })
  return record
}

/** @throws ServiceError `policy-unknown` */
export async function findVersion(
  service: Service,
  kind: PolicyKind,
  version: number,
): Promise<PolicyRecord> {
  const policy = await kind.store(service.store).find(version)
  if (policy === undefined) throw new ServiceError('policy-unknown', { found: String(version) })
  return policy
}

/** Who puts a version into force, and in place of what. */
export interface ActivationRequest {
  readonly caller: { readonly client: ClientRecord; readonly id: string }
  /** The activation in force. */
  readonly current: PolicyActivation
  /** By the key of the caller; see `verifyActivation`. */
  readonly jws: string
}

/**
 * Puts a version into force: the operator's own signature over its digest stands behind it for as long as the log does.
 *
 * @throws AppraisalError `activation-…`; ServiceError `policy-unknown`, `policy-conflict`, `caller-not-permitted`
 */
export async function activateVersion(
  service: Service,
  kind: PolicyKind,
  { version, id, detail }: Omit<PolicyVersion, 'document'>,
  { caller, current, jws }: ActivationRequest,
): Promise<PolicyActivation> {
  const key = service.proofKeys.importOnce(requireOperator(caller.client).key)
  const expected = { aud: service.settings.issuer, policy: id, version, replaces: current.version }
  verifyActivation(jws, key, { ...expected, now: service.clock.now() }, kind.activationType)
  const sequence = current.sequence + 1
  const activation = { sequence, version, at: service.clock.now(), by: caller.id, jws }
  const subject = `${kind.subject}/${version}`
  const facts = { policy: id, ...detail, jws }
  const entry = auditEntry(service, kind.activated, caller.id, subject, facts)
  const answer = await kind.store(service.store).activate(activation, entry)
  if (answer === 'unknown') throw new ServiceError('policy-unknown', { found: String(version) })
  if (answer === 'conflict') throw new ServiceError('policy-conflict', { found: String(version) })
  return activation
}

function requireOperator(client: ClientRecord): ClientRecord {
  if (client.kind === 'operator') return client
  throw new ServiceError('caller-not-permitted', { expected: 'an operator' })
}
