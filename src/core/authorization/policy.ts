import { policyToJson, type Expr, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { readAnnotations, type Annotations } from './annotation.ts'
import { AuthorizationError } from './error.ts'
import { attributesOf, depthOf, nodeOf, nodesOf, pathOf } from './expression.ts'
import { findUntestedAttribute } from './lint-optional.ts'
import { canOverflow } from './lint-overflow.ts'
import { concernsAgents } from './policy-scope.ts'
import { messageOf, type AuthorizationSchema } from './schema.ts'

/** One policy of a set, read and linted. */
export interface AuthorizationPolicy extends Annotations {
  readonly effect: PolicyJson['effect']
  readonly text: string
  readonly head: Pick<PolicyJson, 'principal' | 'action' | 'resource'>
  /** Members of the context that it reads; null where it may read all. */
  readonly reads: ReadonlySet<string> | null
  /** Whether a condition looks at the principal; its head is matched by the slice. */
  readonly readsPrincipal: boolean
  /** What its author should know, though it is no error. */
  readonly notices: readonly string[]
}

/**
 * Reads one policy and refuses what makes Cedar skip it: an evaluation that can fail. For a forbid that is to fail open;
 * for a permit, to deny everybody, since here any failure denies.
 *
 * @throws AuthorizationError `authorization-…`
 */
export function readPolicy(text: string, schema: AuthorizationSchema): AuthorizationPolicy {
  const answer = policyToJson(text)
  if (answer.type === 'failure')
    throw new AuthorizationError('authorization-syntax', { found: messageOf(answer.errors) })
  const { json } = answer
  const annotations = readAnnotations(json)
  const bodies = json.conditions.map(({ body }) => body)
  lint(json, annotations.id, bodies, schema)
  const reads = readsOf(bodies)
  const { effect, principal, action, resource } = json
  requireApproval(annotations, reads, { principal, action, resource })
  return {
    ...annotations,
    effect,
    text,
    head: { principal, action, resource },
    reads,
    readsPrincipal: bodies.some(namesPrincipal),
    notices: noticesOf(json, schema),
  }
}

const maxLevels = 200

function lint(
  json: PolicyJson,
  id: string,
  bodies: readonly Expr[],
  schema: AuthorizationSchema,
): void {
  if (bodies.some(body => depthOf(body, maxLevels + 1) > maxLevels))
    throw new AuthorizationError('authorization-size', { found: id })
  const untested = findUntestedAttribute(json.conditions, schema.optional)
  if (untested !== undefined)
    throw new AuthorizationError('authorization-optional', { found: `${id}: ${untested}` })
  if (bodies.some(readsLiteral))
    throw new AuthorizationError('authorization-literal', { found: id })
  if (bodies.some(canOverflow))
    throw new AuthorizationError('authorization-overflow', { found: id })
}

/** Whether an approval could make a policy come out otherwise, as far as its text shows. */
export function mayReadApproval({ reads }: Pick<AuthorizationPolicy, 'reads'>): boolean {
  return reads?.has('approved') !== false
}

/** What agents ask operators to approve: access tokens. */
const requestableActions = ['issueToken', 'exchangeToken']

/** A policy that waits for an approval that nobody can ask for, or asks for one that changes nothing, is a mistake. */
function requireApproval(
  { id, requestable }: Annotations,
  reads: AuthorizationPolicy['reads'],
  head: AuthorizationPolicy['head'],
): void {
  const mistake = mistakeOf(requestable !== null, reads, head)
  if (mistake !== undefined)
    throw new AuthorizationError('authorization-approval', { found: `${id}: ${mistake}` })
}

function mistakeOf(
  isRequestable: boolean,
  reads: AuthorizationPolicy['reads'],
  head: AuthorizationPolicy['head'],
): string | undefined {
  if (!isRequestable)
    return reads?.has('approved') === true ? 'context.approved without @requestable' : undefined
  if (!mayReadApproval({ reads })) return '@requestable without context.approved'
  return concernsAgents(head, requestableActions)
    ? undefined
    : '@requestable where no agent asks for an access token'
}

/** Attributes come along chains from variables: what else there is, an entity named in the text above all, has none here. */
function readsLiteral(body: Expr): boolean {
  for (const { operator, operands } of nodesOf(body)) {
    if (operator !== '.' && operator !== 'has' && operator !== 'getTag') continue
    if (operands[0] === undefined || pathOf(operands[0]) === undefined) return true
  }
  return false
}

function readsOf(bodies: readonly Expr[]): ReadonlySet<string> | null {
  const names = new Set<string>()
  return bodies.every(body => collectReads(body, names)) ? names : null
}

function namesPrincipal(body: Expr): boolean {
  const nodes = [...nodesOf(body)]
  return nodes.some(({ operator, literal }) => operator === 'Var' && literal === 'principal')
}

/** False where the whole context is used as a value. */
function collectReads(expression: Expr, names: Set<string>): boolean {
  const node = nodeOf(expression)
  if (node.operator === 'Var') return node.literal !== 'context'
  const [left] = node.operands
  const isMember = node.operator === '.' || node.operator === 'has'
  if (isMember && left !== undefined && pathOf(left) === 'context') {
    names.add(attributesOf(node)[0] ?? '')
    return true
  }
  return node.operands.every(operand => collectReads(operand, names))
}

/** A forbid under `when x has y` lets pass what has no y: often not what is meant. */
function noticesOf({ effect, conditions }: PolicyJson, schema: AuthorizationSchema): string[] {
  if (effect === 'permit') return []
  const tested = conditions
    .filter(({ kind }) => kind === 'when')
    .flatMap(({ body }) => [...nodesOf(body)])
    .filter(({ operator }) => operator === 'has')
    .flatMap(node => attributesOf(node).filter(name => schema.optional.has(name)))
  return [...new Set(tested)].map(
    name => `does not forbid where ${name} is absent; \`unless\` would`,
  )
}
