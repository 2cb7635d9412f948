import { Decider } from '../core/authorization/decide.ts'
import type { DecisionInput } from '../core/authorization/decision-input.ts'
import type { Answer } from '../core/authorization/decision.ts'
import { apiScopesOf } from '../core/token/scope.ts'
import type { Principal } from '../ports/records.ts'
import { loadAuthorization } from './authorization-policies.ts'
import { findApprovable } from '../core/authorization/approval.ts'
import { prepareInput } from './authorization.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { newestDecisions } from './decision-log.ts'
import type { Service } from './service.ts'

/** What the policies say of one request without anybody’s approval. */
export interface SimulatedAnswer extends Answer {
  /** Whether an operator could approve it. */
  readonly requestable: boolean
}

/** Somebody who would have something else. */
export interface SimulatedDecision {
  readonly kind: Principal['kind']
  readonly id: string
  readonly action: string
  readonly audience: string
  readonly scopes: readonly string[]
  /** What was decided in the log; null for what is asked of the present state. */
  readonly decision: string | null
  readonly from: SimulatedAnswer
  readonly to: SimulatedAnswer
}

/** What a set would say of everybody there is, and would have said of what was asked lately. */
export interface AuthorizationSimulation {
  readonly policy: { readonly version: number; readonly id: string }
  /** Requests that were tried. */
  readonly judged: number
  /** Of hosts, by id, that would lose something; of agents in the same way. */
  readonly hostsThatLose: readonly string[]
  readonly agentsThatLose: readonly string[]
  readonly changes: readonly SimulatedDecision[]
  /** Policies of the set that decided nothing of all this, by id: a misspelt name looks like that. */
  readonly idle: readonly string[]
}

/** Newest entries of the log that are looked through for decisions. */
const loggedEntries = 20_480

/**
 * Decides under another set what every active host and agent may have now, as their kept Evidence and registration say,
 * and what was decided lately, from the inputs in the log. Nothing is changed by it.
 *
 * @throws ServiceError `policy-unknown`; AuthorizationError `authorization-…`
 */
export async function simulateAuthorization(
  service: Service,
  version: number,
): Promise<AuthorizationSimulation> {
  const set = await loadAuthorization(service, version)
  const active = await service.authorization.active()
  const trial = new Trial(active.decider, new Decider(set))
  for (const principal of await loadPrincipals(service))
    for (const request of requestsOf(service, principal))
      await trial.run(prepareInput(service, request, active), null)
  for await (const { decision, input } of newestDecisions(service, loggedEntries))
    await trial.run(unapproved(input), decision)
  const { changes, judged, deciding } = trial
  return {
    policy: { version, id: set.id },
    judged,
    hostsThatLose: losersOf(changes, 'host'),
    agentsThatLose: losersOf(changes, 'agent'),
    changes,
    idle: set.policies.map(({ id }) => id).filter(id => !deciding.has(id)),
  }
}

class Trial {
  readonly changes: SimulatedDecision[] = []
  readonly deciding = new Set<string>()
  readonly #before: Decider
  readonly #after: Decider
  readonly #seen = new Set<string>()
  judged = 0

  constructor(before: Decider, after: Decider) {
    this.#before = before
    this.#after = after
  }

  /** Of requests that differ in their time alone the newest counts. */
  async run(input: DecisionInput, decision: string | null): Promise<void> {
    const { action, principal, audience, context } = input
    const { scopes, sourceAddress, delegation, detailsDigest } = context
    const key = JSON.stringify([
      action,
      principal.kind,
      principal.id,
      audience,
      scopes,
      sourceAddress,
      delegation,
      detailsDigest,
    ])
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.judged += 1
    if (this.judged % 64 === 0) await new Promise(resolve => setImmediate(resolve))
    const [from, to] = [answerOf(this.#before, input), answerOf(this.#after, input)]
    for (const id of to.policies) this.deciding.add(id)
    if (isSame(from, to)) return
    const { kind, id } = principal
    this.changes.push({ kind, id, action, audience, scopes, decision, from, to })
  }
}

function answerOf(decider: Decider, input: DecisionInput): SimulatedAnswer {
  const answer = decider.decide(input)
  return { ...answer, requestable: findApprovable(decider, input, answer) !== undefined }
}

/** Whether an approval will be given is nothing that a set decides. */
function unapproved(input: DecisionInput): DecisionInput {
  return { ...input, context: { ...input.context, approved: false } }
}

function isSame(from: SimulatedAnswer, to: SimulatedAnswer): boolean {
  return (
    from.outcome === to.outcome &&
    from.requestable === to.requestable &&
    JSON.stringify(from.granted) === JSON.stringify(to.granted)
  )
}

function losersOf(changes: readonly SimulatedDecision[], kind: Principal['kind']): string[] {
  const lost = changes.filter(change => change.kind === kind && hasLess(change))
  return [...new Set(lost.map(({ id }) => id))].sort()
}

function hasLess({ from, to }: SimulatedDecision): boolean {
  if (from.granted === null) return false
  if (to.granted === null || to.granted.lifetimeSeconds < from.granted.lifetimeSeconds) return true
  const { scopes } = to.granted
  return from.granted.scopes.some(scope => !scopes.includes(scope))
}

/** Every active host, and every agent of one with a key. */
async function loadPrincipals(service: Service): Promise<Principal[]> {
  const hosts = (await service.store.hosts.list()).filter(({ status }) => status === 'active')
  const hostById = new Map(hosts.map(host => [host.id, host]))
  const classes = await service.store.classes.list()
  const classByName = new Map(classes.map(agentClass => [agentClass.name, agentClass]))
  const agents = (await service.store.agents.list()).flatMap((agent): Principal[] => {
    const [host, agentClass] = [hostById.get(agent.hostId), classByName.get(agent.className)]
    if (agent.status !== 'active' || host === undefined || agentClass === undefined) return []
    return [{ kind: 'agent', agent, host, agentClass }]
  })
  return [...hosts.map((host): Principal => ({ kind: 'host', host })), ...agents]
}

/** What it may ask for, as far as registration goes. */
function requestsOf(service: Service, principal: Principal): AuthorizationRequest[] {
  const { issuer, trustDomain, tokenMaxLifetimeSeconds, certificateLifetimeSeconds } =
    service.settings
  const certificate = {
    action: 'issueCertificate',
    principal,
    audience: `spiffe://${trustDomain}`,
    scopes: [],
    lifetimeSeconds: certificateLifetimeSeconds,
    // Nobody knows from where it will come.
    sourceAddress: undefined,
  } as const
  const token = (audience: string, scopes: readonly string[]): AuthorizationRequest => ({
    action: 'issueToken',
    principal,
    audience,
    scopes,
    lifetimeSeconds: tokenMaxLifetimeSeconds,
    sourceAddress: undefined,
  })
  const own = token(issuer, apiScopesOf[principal.kind] ?? [])
  if (principal.kind !== 'agent')
    return [
      { ...certificate, action: 'enrol', audience: issuer, lifetimeSeconds: 0 },
      certificate,
      own,
    ]
  const { audiences, scopes } = principal.agentClass
  return [certificate, own, ...audiences.map(audience => token(audience, scopes))]
}
