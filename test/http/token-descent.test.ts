import test, { type ExecutionContext } from 'ava'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import {
  call,
  createOperator,
  exchangeToken,
  fetchToken,
  proofOf,
  postForm,
  type TestCaller,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { introspect, readPlace, statusOf } from '../support/token-standing.ts'
import { listen } from './stream-fixtures.ts'

const audience = 'https://api.example/'

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly reader: TestCaller
  readonly agents: readonly [TestAgent, TestAgent, TestAgent]
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const worker = { name: 'worker', audiences: [audience], scopes: ['read'], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', worker)
  return {
    api,
    operator,
    reader: await createOperator(api, 'resource-server'),
    agents: [
      await createAgent(api, host, 'worker'),
      await createAgent(api, host, 'worker'),
      await createAgent(api, host, 'worker'),
    ],
  }
}

/** A token of the first agent, what the second gets for it, what the third gets for that; and one beside them. */
async function issueChain({ api, agents }: Stage): Promise<[string, string, string, string]> {
  const [first, second, third] = agents
  const root = await fetchToken(api, first.key, { resource: audience, may_act: second.clientId })
  const once = await exchange(api, second, root, { may_act: third.clientId })
  return [root, once, await exchange(api, third, once), await fetchToken(api, third.key)]
}

async function exchange(
  api: TestApi,
  { key }: TestAgent,
  token: string,
  form: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await exchangeToken(api, key, token, form)
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.json['access_token'])
}

/** What relying parties see: whether each is good by introspection, and its status in the list. */
async function seen({ api, operator }: Stage, tokens: readonly string[]): Promise<unknown[]> {
  const told: unknown[] = []
  for (const token of tokens)
    told.push([(await introspect(api, operator, token)).json['active'], await statusOf(api, token)])
  return told
}

const good = [true, 0]
const fallen = [false, 1]

const ends: readonly [string, (stage: Stage, root: string) => Promise<unknown>][] = [
  [
    'is given back',
    async ({ api, agents: [{ key }] }, token) => {
      const proof = await proofOf(api, key, { method: 'POST', path: '/oauth/revoke' })
      await postForm(api, '/oauth/revoke', { token }, [['DPoP', proof]])
    },
  ],
  [
    'falls with its agent',
    async ({ api, operator, agents: [{ id }] }) =>
      await call(api, operator, 'POST', `/v1/agents/${id}/revoke`, { reason: 'gone' }),
  ],
]

for (const [name, end] of ends)
  test(`when a token ${name}, those that descend from it are revoked for whoever looks`, async t => {
    const stage = await begin(t)
    const { api, reader } = stage
    const tokens = await issueChain(stage)
    t.deepEqual(await seen(stage, tokens), [good, good, good, good])
    const stream = await listen(t, api, reader)
    await end(stage, tokens[0])
    const told = await stream.next()
    if (told === 'end') throw new Error('the stream ended')
    const named = (told.data['tokens'] as { jti: string }[]).map(({ jti }) => jti)
    for (const token of tokens.slice(0, 3)) t.true(named.includes(readPlace(token).jti))
    t.false(named.includes(readPlace(tokens[3]).jti))
    t.deepEqual(await seen(stage, tokens), [fallen, fallen, fallen, good])
  })

test('a token in the middle takes what descends from it, and leaves the one that it came from', async t => {
  const stage = await begin(t)
  const { api, agents } = stage
  const tokens = await issueChain(stage)
  const proof = await proofOf(api, agents[1].key, { method: 'POST', path: '/oauth/revoke' })
  await postForm(api, '/oauth/revoke', { token: tokens[1] }, [['DPoP', proof]])
  t.deepEqual(await seen(stage, tokens), [good, fallen, fallen, good])
})
