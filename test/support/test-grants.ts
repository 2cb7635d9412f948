import type { ExecutionContext } from 'ava'
import { establishSet } from './authorization-activation.ts'
import { startTestApi, type TestAnswer, type TestApi } from './test-api.ts'
import { askForToken, call, createOperator, type TestCaller } from './test-caller.ts'
import {
  admitManufacturer,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from './test-host.ts'
import { starterPolicies } from './test-policies.ts'

/** What agents of the class may ask for: two audiences, and to close tickets. */
export const grantAudience = 'https://api.example/'
export const otherAudience = 'https://other.example/'
export const ticket = { type: 'ticket', actions: ['close'] }

/** Closing and writing need an operator’s approval. */
export const requestable =
  '@id("closing") @requestable("30") forbid (principal is Agent, action == Action::"issueToken", resource) when { context.details.actions.contains("close") || context.scopes.contains("write") } unless { context.approved };'

type Registered = TestCaller & { readonly id: string }

/** An agent that has to ask, who answers for it, and another operator. */
export interface GrantStage {
  readonly api: TestApi
  /** Registered the class, and so answers for it where nobody is named. */
  readonly owner: Registered
  readonly approver: Registered
  readonly host: TestHost
  readonly agent: TestAgent
}

/** A service with an agent of class `closer`, under the starter set and these policies. */
export async function createGrantStage(
  t: ExecutionContext,
  policies: string = requestable,
): Promise<GrantStage> {
  const api = await startTestApi(t)
  const [owner, approver] = [await createOperator(api), await createOperator(api)]
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerClass({ api, owner }, 'closer')
  await establishPolicies({ api, owner }, policies)
  return { api, owner, approver, host, agent: await createAgent(api, host, 'closer') }
}

/** Puts the starter set with these policies into force. */
export async function establishPolicies(
  { api, owner }: Pick<GrantStage, 'api' | 'owner'>,
  ...policies: readonly string[]
): Promise<void> {
  await establishSet(api, owner, [starterPolicies, ...policies].join('\n'))
}

/** Registers a class like that of the stage. */
export async function registerClass(
  { api, owner }: Pick<GrantStage, 'api' | 'owner'>,
  name: string,
  changes: object = {},
): Promise<void> {
  const answer = await call(api, owner, 'POST', '/v1/classes', {
    name,
    audiences: [grantAudience, otherAudience],
    scopes: ['read', 'write'],
    hosts: ['*'],
    authorizationDetails: [{ type: 'ticket', actions: ['read', 'close'] }],
    ...changes,
  })
  if (answer.status !== 201) throw new Error(answer.text)
}

/** Parameters of a token request. */
export type Form = Readonly<Record<string, string>>

/** The agent asks to close a ticket, or for what the form says. */
export async function ask({ api, agent }: GrantStage, form: Form = {}): Promise<TestAnswer> {
  const details = JSON.stringify([ticket])
  const asked = { resource: grantAudience, scope: 'read', authorization_details: details, ...form }
  return await askForToken(api, agent.key, asked)
}

/** Has the agent be denied; gives the id of the request that this opened. */
export async function openRequest(stage: GrantStage, form: Form = {}): Promise<string> {
  const denied = await ask(stage, form)
  if (denied.json['code'] !== 'authorization-requestable') throw new Error(denied.text)
  return String(denied.json['grant_request'])
}

/** An operator, the approver where nobody is named, decides on a request. */
export async function decide(
  { api, approver }: GrantStage,
  id: string,
  word: 'approve' | 'deny' | 'withdraw',
  body: object = {},
  by: Pick<TestCaller, 'key' | 'token'> = approver,
): Promise<TestAnswer> {
  return await call(api, by, 'POST', `/v1/grants/${id}/${word}`, { reason: 'ticket 7', ...body })
}

/** The approver approves a request. */
export async function approve(stage: GrantStage, id: string, body: object = {}): Promise<void> {
  const answer = await decide(stage, id, 'approve', body)
  if (answer.status !== 200) throw new Error(answer.text)
}

/** How often each outcome came of a hundred calls at once: a status, and the code of a refusal. */
export async function contendFor(
  one: () => Promise<TestAnswer>,
): Promise<{ readonly answers: readonly TestAnswer[]; readonly counts: Record<string, number> }> {
  const answers = await Promise.all(Array.from({ length: 100 }, async () => await one()))
  const counts: Record<string, number> = {}
  for (const { status, json } of answers) {
    const word = status === 200 ? '200' : `${status} ${String(json['code'])}`
    counts[word] = (counts[word] ?? 0) + 1
  }
  return { answers, counts }
}
