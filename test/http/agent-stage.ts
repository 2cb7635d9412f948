import { X509Certificate } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost, type TestHost } from '../support/test-host.ts'

/** A service with an operator and a host. */
export interface Fleet {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
}

/** The class of the agents. */
export const reader = {
  name: 'reader',
  audiences: ['https://api.example/'],
  scopes: ['read'],
  hosts: ['*'],
  tokenLifetimeSeconds: 120,
}

/** Starts it. */
export async function begin(t: ExecutionContext, hosts: readonly string[] = ['*']): Promise<Fleet> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', { ...reader, hosts })
  return { api, operator, host }
}

/** An agent whose key is not proven yet. */
export interface Created {
  readonly agent: { readonly id: string; readonly spiffeId: string }
  readonly challenge: { readonly id: string; readonly nonce: string; readonly audience: string }
}

/** Creates one. */
export async function create({ api, host }: Fleet): Promise<Created> {
  const answer = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.json as unknown as Created
}

/** The certificate that came. */
export function leafOf(answer: TestAnswer): X509Certificate {
  return new X509Certificate((answer.json['certificateChain'] as string[])[0] ?? '')
}
