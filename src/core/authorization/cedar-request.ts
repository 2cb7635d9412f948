import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type {
  AgentFacts,
  Circumstances,
  ClassFacts,
  DecisionInput,
  HostFacts,
  OperatorFacts,
  PrincipalFacts,
} from './decision-input.ts'

/** An input as Cedar takes it; every type in it is chosen here. */
export interface CedarRequest {
  readonly principal: TypeAndId
  readonly action: TypeAndId
  readonly resource: TypeAndId
  readonly context: Record<string, CedarValueJson>
  readonly entities: EntityJson[]
}

const entityTypes = { host: 'Host', agent: 'Agent', operator: 'Operator' } as const

/** The entity type and id of a principal. */
export function principalUid({ kind, id }: PrincipalFacts): TypeAndId {
  return { type: entityTypes[kind], id }
}

/** Builds the request and all entities that a policy can reach from it. */
export function encodeCedarRequest(input: DecisionInput): CedarRequest {
  const resource = { type: 'Audience', id: input.audience }
  return {
    principal: principalUid(input.principal),
    action: { type: 'Action', id: input.action },
    resource,
    context: contextOf(input.context),
    entities: [entity(resource, {}), ...entitiesOf(input.principal)],
  }
}

function contextOf(context: Circumstances): Record<string, CedarValueJson> {
  const { time, sourceAddress, scopes, lifetimeSeconds, delegation, details, approved } = context
  return {
    time: datetime(time),
    ...(sourceAddress === null ? {} : { sourceAddress: extension('ip', sourceAddress) }),
    scopes: [...scopes],
    lifetimeSeconds,
    delegation: { ...delegation, actors: [...delegation.actors] },
    details: Object.fromEntries(Object.entries(details).map(([name, all]) => [name, [...all]])),
    approved,
  }
}

function entitiesOf(principal: PrincipalFacts): EntityJson[] {
  if (principal.kind === 'host') return [hostEntity(principal)]
  if (principal.kind === 'operator') return [operatorEntity(principal)]
  const { class: agentClass, host } = principal
  return [agentEntity(principal), hostEntity(host), ...classEntities(agentClass)]
}

function hostEntity(host: HostFacts): EntityJson {
  const { manufacturer, firmware, secureBoot, appraisedAt, labels } = host
  const { name, assurance, status, riskScore } = host
  return entity(principalUid(host), {
    name,
    assurance,
    status,
    riskScore,
    ...present({ manufacturer, firmware, secureBoot }),
    appraisedAt: datetime(appraisedAt),
    labels: [...labels],
  })
}

function operatorEntity(operator: OperatorFacts): EntityJson {
  const { kind: _kind, id: _id, ...plain } = operator
  return entity(principalUid(operator), plain)
}

function agentEntity(agent: AgentFacts): EntityJson {
  const { class: agentClass, host, riskScore } = agent
  const parent = { type: 'AgentClass', id: agentClass.name }
  const attributes = {
    class: reference(parent),
    host: reference(principalUid(host)),
    ...ownerOf(agentClass),
    environment: agentClass.environment,
    riskScore,
  }
  return { ...entity(principalUid(agent), attributes), parents: [parent] }
}

function classEntities(agentClass: ClassFacts): EntityJson[] {
  const { name, owner, audiences, scopes, ...plain } = agentClass
  const attributes = {
    ...plain,
    ...ownerOf(agentClass),
    audiences: [...audiences],
    scopes: [...scopes],
  }
  const own = entity({ type: 'AgentClass', id: name }, attributes)
  return owner === null ? [own] : [own, entity({ type: 'User', id: owner }, {})]
}

function ownerOf({ owner }: ClassFacts): Record<string, CedarValueJson> {
  return owner === null ? {} : { owner: reference({ type: 'User', id: owner }) }
}

function present(
  values: Readonly<Record<string, string | boolean | null>>,
): Record<string, CedarValueJson> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}

function entity(uid: TypeAndId, attrs: Record<string, CedarValueJson>): EntityJson {
  return { uid, attrs, parents: [] }
}

function reference(uid: TypeAndId): CedarValueJson {
  return { __entity: uid }
}

function extension(fn: string, arg: string): CedarValueJson {
  return { __extn: { fn, arg } }
}

function datetime(time: number): CedarValueJson {
  return extension('datetime', new Date(time).toISOString())
}
