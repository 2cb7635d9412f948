import { Decider } from '../core/authorization/decide.ts'
import { AuthorizationPolicySet, canonicalPolicies } from '../core/authorization/policy-set.ts'
import type { PolicyActivation, PolicyRecord } from '../ports/records.ts'
import { prepareInput } from './authorization.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { ServiceError } from './error.ts'
import {
  activateVersion,
  authorizationPolicies,
  findVersion,
  keepVersion,
  nextVersion,
  type ActivationRequest,
} from './policy-versions.ts'
import type { Caller } from './resource-access.ts'
import type { Service } from './service.ts'

/**
 * Keeps a set of policies as a new version, in its one form; it decides nothing before it is activated.
 *
 * @param text Cedar policies
 * @throws AuthorizationError `authorization-…`; ServiceError `policy-conflict`
 */
export async function proposeAuthorization(
  service: Service,
  actor: string,
  text: string,
): Promise<PolicyRecord> {
  const { schema } = service.authorization
  await service.authorization.active()
  const version = await nextVersion(service, authorizationPolicies)
  const set = AuthorizationPolicySet.prepare(canonicalPolicies(text), version, schema)
  const kept = { version, id: set.id, document: set.text, detail: { schema: schema.id } }
  return keepVersion(service, authorizationPolicies, actor, kept)
}

/** All versions, oldest first, and every activation. */
export async function listAuthorizations(
  service: Service,
): Promise<{ policies: PolicyRecord[]; activations: PolicyActivation[] }> {
  await service.authorization.active()
  const policies = await service.store.authorizationPolicies.list()
  return { policies, activations: await service.store.authorizationPolicies.listActivations() }
}

/** @throws ServiceError `policy-unknown` */
export async function findAuthorization(service: Service, version: number): Promise<PolicyRecord> {
  await service.authorization.active()
  return findVersion(service, authorizationPolicies, version)
}

/**
 * Puts a version into force, at once. A set that would keep the one who activates it from ever activating another is
 * refused: nobody could take it back.
 *
 * @throws AppraisalError `activation-…`; AuthorizationError `authorization-…`; ServiceError `policy-unknown`,
 *   `policy-conflict`, `caller-not-permitted`, `authorization-lockout`
 */
export async function activateAuthorization(
  service: Service,
  caller: Caller,
  version: number,
  jws: string,
): Promise<PolicyActivation> {
  const set = await loadAuthorization(service, version)
  await requireWayBack(service, caller, set)
  const { activation: current } = await service.authorization.active()
  const kept = { version, id: set.id, detail: { schema: set.schema.id } }
  const request: ActivationRequest = { caller, current, jws }
  const activation = await activateVersion(service, authorizationPolicies, kept, request)
  service.authorization.forget()
  return activation
}

/**
 * A kept set, checked again under the schema of this version.
 *
 * @throws ServiceError `policy-unknown`; AuthorizationError `authorization-…`
 */
export async function loadAuthorization(
  service: Service,
  version: number,
): Promise<AuthorizationPolicySet> {
  const { document } = await findAuthorization(service, version)
  return AuthorizationPolicySet.prepare(document, version, service.authorization.schema)
}

/** What it takes to activate a set: a token with the scopes, and the calls. */
const needed = ['policies:read', 'policies:write', 'policies:activate']

async function requireWayBack(
  service: Service,
  { client, sourceAddress }: Caller,
  set: AuthorizationPolicySet,
): Promise<void> {
  const shared = { principal: client, audience: service.settings.issuer, sourceAddress }
  const requests: AuthorizationRequest[] = [
    { ...shared, action: 'issueToken', scopes: needed, lifetimeSeconds: 60 },
    ...needed.map(
      scope =>
        ({ ...shared, action: 'actAsOperator', scopes: [scope], lifetimeSeconds: 0 }) as const,
    ),
  ]
  const decider = new Decider(set)
  const active = await service.authorization.active()
  for (const request of requests) {
    const { granted, policies } = decider.decide(prepareInput(service, request, active))
    if (granted?.scopes.length === request.scopes.length) continue
    throw new ServiceError('authorization-lockout', {
      expected: `${request.action} for ${request.scopes.join(' ')}`,
      found: policies.join(' ') || 'no policy that permits it',
    })
  }
}
