import type { ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import { signToken } from '../../src/services/signed-token.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  call,
  createOperator,
  exchangeToken,
  fetchToken,
  postForm,
  proofOf,
  type TestCaller,
} from '../support/test-caller.ts'
import {
  admitManufacturer,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import { introspect as introspectBy } from '../support/token-standing.ts'

/** The audience that agents of these tests ask for. */
export const api1 = 'https://api.example/'

/** Another one, for one class alone. */
export const api2 = 'https://other.example/'

/** What agents of the first class may ask for. */
export const details = [{ type: 'ticket', actions: ['read', 'write'] }]

/** Three agents of one host, and who runs the service. */
export interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  /** Asks first. */
  readonly first: TestAgent
  /** Of the same class. */
  readonly second: TestAgent
  /** Of another class, for the first audience and to read alone. */
  readonly reader: TestAgent
}

/** Starts it. */
export async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const register = async (body: object): Promise<void> => {
    const answer = await call(api, operator, 'POST', '/v1/classes', { hosts: ['*'], ...body })
    if (answer.status !== 201) throw new Error(answer.text)
  }
  const audiences = [api1, api2]
  const scopes = ['read', 'write']
  await register({ name: 'writer', audiences, scopes, authorizationDetails: details })
  await register({ name: 'reader', audiences: [api1], scopes: ['read'] })
  const [first, second] = [
    await createAgent(api, host, 'writer'),
    await createAgent(api, host, 'writer'),
  ]
  return { api, operator, host, first, second, reader: await createAgent(api, host, 'reader') }
}

/** A token of the first agent that the second, or who is named, may exchange. */
export async function subjectToken(
  { api, first, second }: Stage,
  form: Readonly<Record<string, string>> = {},
  { clientId }: Pick<TestAgent, 'clientId'> = second,
): Promise<string> {
  return await fetchToken(api, first.key, { resource: api1, may_act: clientId, ...form })
}

/** Exchanges a token as whoever has the key. */
export async function exchange(
  { api }: Stage,
  { key }: Pick<TestCaller, 'key'>,
  token: string,
  form: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return await exchangeToken(api, key, token, form)
}

/** The token that came; throws where none did. */
export function tokenOf(answer: TestAnswer): string {
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.json['access_token'])
}

/** What a resource server learns of a token. */
export async function introspect(
  { api, operator }: Stage,
  token: string,
): Promise<TestAnswer['json']> {
  return (await introspectBy(api, operator, token)).json
}

/** The agent gives its token up. */
export async function takeBack({ api }: Stage, { key }: TestAgent, token: string): Promise<void> {
  const proof = await proofOf(api, key, { method: 'POST', path: '/oauth/revoke' })
  await postForm(api, '/oauth/revoke', { token }, [['DPoP', proof]])
}

/** What a token of this service would say if it had said otherwise. */
export async function reissue({ api }: Stage, token: string, changes: object): Promise<string> {
  return await signToken(api.service, 'at+jwt', { ...decodeJwt(token), ...changes })
}

/** That no token came, in the words of OAuth and under the code. */
export function refused(
  t: ExecutionContext,
  answer: TestAnswer,
  error: string,
  code?: string,
): void {
  t.is(answer.json['error'], error, answer.text)
  t.is(answer.status, 400)
  t.is(answer.json['code'], code)
}
