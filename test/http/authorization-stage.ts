import type { ExecutionContext } from 'ava'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { askForToken, call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestHost } from '../support/test-host.ts'
import { starterPolicies } from '../support/test-policies.ts'

/** What the agents are for. */
export const audience = 'https://api.example/'

/** Where sets of policies are. */
export const sets = '/v1/authorization/policies'

/** A service with a host and an agent. */
export interface Fleet {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  readonly agent: Awaited<ReturnType<typeof createAgent>>
}

/** Starts it. */
export async function begin(t: ExecutionContext): Promise<Fleet> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: [audience],
    scopes: ['read', 'write'],
    hosts: ['*'],
    owner: 'alice',
    environment: 'production',
    sensitivity: 'confidential',
  })
  return { api, operator, host, agent: await createAgent(api, host, 'reader') }
}

/** The agent asks for a token. */
export async function ask({ api, agent }: Fleet, scope = 'read write'): Promise<TestAnswer> {
  return await askForToken(api, agent.key, { resource: audience, scope })
}

/** The starter set and more. */
export const withStarter = (...policies: string[]): string =>
  [starterPolicies, ...policies].join('\n')
