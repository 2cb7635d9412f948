import type { ExecutionContext } from 'ava'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, postForm, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'

/** What agents of these tests may ask for. */
export const resource = 'https://api.example/'
export const tokenPath = '/oauth/token'

/** A service with an operator, a host, and two agents of one class. */
export interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller & { readonly id: string }
  readonly host: TestHost
  readonly agent: TestAgent
  readonly second: TestAgent
}

/** Starts it. */
export async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: [resource],
    scopes: ['read', 'write'],
    hosts: ['*'],
    authorizationDetails: [{ type: 'ticket', actions: ['read'] }],
  })
  const agent = await createAgent(api, host, 'reader', { resource: testIssuer })
  return { api, operator, host, agent, second: await createAgent(api, host, 'reader') }
}

/** A header as it is sent. */
export type Header = readonly [string, string]

/** The client attestation of the first agent. */
export async function attestationOf({ api, agent }: Stage): Promise<string> {
  const { json } = await call(api, agent, 'POST', '/v1/client-attestations', {})
  return String(json['clientAttestation'])
}

/** Asks for a token with these headers. */
export async function ask(
  { api }: Stage,
  headers: readonly Header[],
  form: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return await postForm(api, tokenPath, { grant_type: 'client_credentials', ...form }, headers)
}

/** JSON of so many arrays in one another. */
export function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}
