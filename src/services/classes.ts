import type { DetailType } from '../core/token/authorization-details.ts'
import type { AgentClassRecord, Sensitivity } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** What an operator says of a kind of agent; lists are exact, nothing is implied. */
export interface ClassRequest {
  readonly name: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly hosts: readonly string[]
  readonly tokenLifetimeSeconds: number
  /** Who answers for its agents; nobody where absent. */
  readonly owner?: string | undefined
  /** `default` where absent. */
  readonly environment?: string | undefined
  /** `internal` where absent. */
  readonly sensitivity?: Sensitivity | undefined
  readonly authorizationDetails: readonly DetailType[]
  readonly clientIds: readonly string[]
}

/**
 * Registers a class of agents. Its tokens never live longer than the service's own limit.
 *
 * @throws ServiceError `class-exists`, `request-malformed` when the lifetime is above the limit
 */
export async function registerClass(
  service: Service,
  actor: string,
  request: ClassRequest,
): Promise<AgentClassRecord> {
  const limit = service.settings.tokenMaxLifetimeSeconds
  if (request.tokenLifetimeSeconds > limit) {
    throw new ServiceError('request-malformed', {
      expected: `tokenLifetimeSeconds of at most ${limit}`,
      found: String(request.tokenLifetimeSeconds),
    })
  }
  const { name, audiences, scopes, hosts, tokenLifetimeSeconds } = request
  const agentClass: AgentClassRecord = {
    name,
    audiences,
    scopes,
    hosts,
    tokenLifetimeSeconds,
    owner: request.owner ?? null,
    environment: request.environment ?? 'default',
    sensitivity: request.sensitivity ?? 'internal',
    authorizationDetails: request.authorizationDetails,
    clientIds: request.clientIds,
    createdAt: service.clock.now(),
    createdBy: actor,
  }
  const { createdAt: _at, createdBy: _by, ...detail } = agentClass
  const entry = auditEntry(service, 'class.registered', actor, name, detail)
  if ((await service.store.classes.create(agentClass, entry)) === 'exists') {
    throw new ServiceError('class-exists', { found: request.name })
  }
  return agentClass
}

/** The registered classes, by name. */
export async function listClasses(service: Service): Promise<AgentClassRecord[]> {
  return service.store.classes.list()
}
