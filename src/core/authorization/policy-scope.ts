import type { PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'

/** What of a request the head of a policy can ask for. */
export interface RequestScope {
  readonly action: string
  readonly principal: TypeAndId
  /** The class of an agent; undefined for everybody else. */
  readonly agentClass: string | undefined
  readonly audience: string
}

type Head = Pick<PolicyJson, 'principal' | 'action' | 'resource'>

/**
 * Whether the head of a policy is true of a request. Cedar evaluates no condition of a policy whose head is false, so
 * leaving such a policy out changes no decision.
 *
 * @see Cedar 4.5 §Authorization semantics
 */
export function matchesScope(head: Head, scope: RequestScope): boolean {
  const self = [uidText(scope.principal)]
  if (scope.agentClass !== undefined)
    self.push(uidText({ type: 'AgentClass', id: scope.agentClass }))
  const resource = [uidText({ type: 'Audience', id: scope.audience })]
  return (
    matchesAction(head.action, scope.action) &&
    matchesEntity(head.principal, scope.principal.type, self) &&
    matchesEntity(head.resource, 'Audience', resource)
  )
}

/** Whether the head of a policy can be true of a request of some agent for one of these actions. */
export function concernsAgents({ principal, action }: Head, actions: readonly string[]): boolean {
  if (principal.op === 'is' && principal.entity_type !== 'Agent') return false
  if (principal.op === '==' && !uidsIn(principal).every(uid => uid.startsWith('Agent::')))
    return false
  return actions.some(name => matchesAction(action, name))
}

function matchesAction(constraint: Head['action'], action: string): boolean {
  if (constraint.op === 'All') return true
  return uidsIn(constraint).includes(uidText({ type: 'Action', id: action }))
}

/** @param line the entity itself, then its ancestors */
function matchesEntity(
  constraint: Head['principal'],
  type: string,
  line: readonly string[],
): boolean {
  if (constraint.op === 'All') return true
  if (constraint.op === 'is' && constraint.entity_type !== type) return false
  const named = uidsIn(constraint)
  if (constraint.op === '==') return named[0] === line[0]
  return (constraint.op === 'is' && named.length === 0) || named.some(uid => line.includes(uid))
}

/** The entities that a constraint names; templates, which would have slots, are refused before. */
export function uidsIn(constraint: object): string[] {
  const {
    entity,
    entities = [],
    in: within,
  } = constraint as {
    readonly entity?: TypeAndId
    readonly entities?: readonly TypeAndId[]
    readonly in?: object
  }
  const own = [...entities, ...(entity === undefined ? [] : [entity])].map(uidText)
  return within === undefined ? own : [...own, ...uidsIn(within)]
}

/** An entity as one text. */
export function uidText({ type, id }: TypeAndId): string {
  return `${type}::${JSON.stringify(id)}`
}
