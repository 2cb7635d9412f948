import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestHost } from '../support/test-host.ts'
import { createApp } from '../../src/http/app.ts'
import { createEventEndpoints } from '../../src/http/event-endpoints.ts'
import type { Service } from '../../src/services/service.ts'
import type { RevocationEvent } from '../../src/ports/revocation.ts'
import { listen, type Held } from './stream-fixtures.ts'

async function begin(t: ExecutionContext): Promise<{
  api: TestApi
  operator: TestCaller
  reader: TestCaller & { id: string }
  host: TestHost
}> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const reader = await createOperator(api, 'resource-server')
  const host = await enrollHost(api, await admitManufacturer(api))
  const agentClass = {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: [],
    hosts: ['*'],
  }
  await call(api, operator, 'POST', '/v1/classes', agentClass)
  return { api, operator, reader, host }
}

async function revokeIt(api: TestApi, operator: TestCaller, target: object): Promise<void> {
  const { status } = await call(api, operator, 'POST', '/v1/revocations', { target, reason: 'x' })
  if (status !== 200) throw new Error(`not revoked: ${status}`)
}

test('a relying party is told what fell, by names that it knows, and goes on where it was', async t => {
  const { api, operator, reader, host } = await begin(t)
  const [first, second] = [
    await createAgent(api, host, 'reader'),
    await createAgent(api, host, 'reader'),
  ]
  const stream = await listen(t, api, reader)
  t.is(stream.answer.headers['content-type'], 'text/event-stream; charset=utf-8')
  await revokeIt(api, operator, { kind: 'agent', id: first.id })
  const told = await stream.next()
  if (told === 'end') throw new Error('the stream ended')
  t.like(told.data, { kind: 'agent', target: first.id, isLast: true, agents: [first.clientId] })
  t.is((told.data['certificates'] as string[]).length, 1)
  t.like((told.data['tokens'] as object[])[0], { jti: claimsOf(first.token)['jti'] })
  t.false(JSON.stringify(told.data).includes(operator.clientId))
  stream.answer.destroy()
  await revokeIt(api, operator, { kind: 'agent', id: second.id })
  await revokeIt(api, operator, { kind: 'host', id: host.id })
  const again = await listen(t, api, reader, told.id)
  t.like(await again.next(), { data: { kind: 'agent', target: second.id } })
  t.like(await again.next(), { data: { kind: 'host', hosts: [host.clientId] } })
})

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as never
}

test('a stream ends with the operator that holds it, and with its token', async t => {
  const { api, operator, reader } = await begin(t)
  const stream = await listen(t, api, reader)
  await revokeIt(api, operator, { kind: 'operator', id: reader.id })
  t.is(await stream.next(), 'end')
  const own = await listen(t, api, operator)
  api.clock.advance(301_000)
  t.is(await own.next(), 'end')
})

type Outcome = readonly [status: number | undefined, code?: unknown]

/** The status of an answer, and the code of one that is no stream. */
async function outcomeOf({ answer }: Held): Promise<Outcome> {
  if (answer.statusCode === 200) return [200]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return [answer.statusCode, (JSON.parse(text) as { code: string }).code]
}

test('an agent may not listen, and an id that is none is refused', async t => {
  const { api, operator, host } = await begin(t)
  const codeOf = async (caller: TestCaller, last?: string): Promise<Outcome> =>
    await outcomeOf(await listen(t, api, caller, last))
  t.deepEqual(await codeOf(host), [403, 'token-scope'])
  t.deepEqual(await codeOf(operator, 'x'), [400, 'event-id'])
  t.deepEqual(await codeOf(operator, '0'), [200])
})

test('so many may listen and no more, of one caller fewer, until one of them goes', async t => {
  const { api } = await begin(t)
  const callers: TestCaller[] = []
  for (let n = 0; n < 5; n += 1) callers.push(await createOperator(api, 'resource-server'))
  const [first, ...others] = callers
  if (first === undefined) throw new TypeError('callers')
  const tryOnce = async (caller: TestCaller): Promise<Outcome> =>
    await outcomeOf(await listen(t, api, caller))
  const hold = async (caller: TestCaller): Promise<Held[]> => {
    const held = await Promise.all(Array.from({ length: 16 }, () => listen(t, api, caller)))
    t.true(held.every(({ answer }) => answer.statusCode === 200))
    return held
  }
  const crowded = [503, 'events-crowded'] as const
  const held = await hold(first)
  t.deepEqual(await tryOnce(first), crowded)
  for (const caller of others.slice(0, 3)) await hold(caller)
  const [last = first] = others.slice(3)
  t.deepEqual(await tryOnce(last), crowded)
  held[0]?.answer.destroy()
  let outcome: Outcome = crowded
  for (let n = 0; n < 100 && outcome[0] === 503; n += 1) {
    await pause(50)
    outcome = await tryOnce(last)
  }
  t.deepEqual(outcome, [200])
})

/** Another process on the same store. */
async function startOther(
  t: ExecutionContext,
  api: TestApi,
  changes: Partial<Service> = {},
  ...how: Parameters<typeof createEventEndpoints>
): Promise<TestApi & { countConnections(): Promise<number> }> {
  const service = { ...api.service, ...changes }
  const app = createApp(service, { report: () => undefined }, createEventEndpoints(...how))
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const countConnections = async (): Promise<number> =>
    await new Promise(resolve => server.getConnections((_, count) => resolve(count)))
  return { ...api, service, port: (server.address() as AddressInfo).port, countConnections }
}

test('what one process took back, another tells, and goes on where the first one was', async t => {
  const { api, operator, reader, host } = await begin(t)
  const other = await startOther(t, api)
  const [here, there] = [await listen(t, api, reader), await listen(t, other, reader)]
  const agent = await createAgent(api, host, 'reader')
  await revokeIt(api, operator, { kind: 'agent', id: agent.id })
  const [told, also] = [await here.next(), await there.next()]
  t.deepEqual(told, also)
  here.answer.destroy()
  await revokeIt(api, operator, { kind: 'host', id: host.id })
  const resumed = await listen(t, other, reader, told === 'end' ? '' : told.id)
  t.like(await resumed.next(), { type: 'revocation', data: { kind: 'host' } })
})

test('what is over after seven days, or never was, is a reset, and then comes what is new', async t => {
  const { api, operator, reader, host } = await begin(t)
  const [one, two] = [
    await createAgent(api, host, 'reader'),
    await createAgent(api, host, 'reader'),
  ]
  await revokeIt(api, operator, { kind: 'agent', id: one.id })
  await revokeIt(api, operator, { kind: 'agent', id: two.id })
  const { newest } = await api.service.store.revocations.readEvents(0, 1)
  await api.service.store.sweep(api.clock.now() + 7 * 86_400_000)
  t.is((await api.service.store.revocations.readEvents(0, 9)).events.length, 2)
  await api.service.store.sweep(api.clock.now() + 7 * 86_400_000 + 1)
  t.is((await api.service.store.revocations.readEvents(0, 9)).events.length, 1)
  const streams = [await listen(t, api, reader, '0'), await listen(t, api, reader, '999')]
  for (const [index, stream] of streams.entries())
    t.deepEqual(await stream.next(), {
      id: String(newest),
      type: 'reset',
      data: { after: index === 0 ? 0 : 999, newest },
    })
  await revokeIt(api, operator, { kind: 'host', id: host.id })
  for (const stream of streams)
    t.like(await stream.next(), { type: 'revocation', data: { kind: 'host' } })
  const near = await listen(t, api, reader, String(newest - 1))
  t.like(await near.next(), { type: 'revocation', data: { target: two.id } })
})

const fast = { pollMs: 5, heartbeatMs: 10, standingMs: 1_000 }

test('a stream on which nothing happens says that it is there', async t => {
  const { api, operator, reader } = await begin(t)
  const stream = await listen(t, await startOther(t, api, {}, 30_000, fast), reader)
  const ended = stream.next()
  while (stream.comments.filter(line => line === 'still here').length < 3) await pause(5)
  await revokeIt(api, operator, { kind: 'operator', id: reader.id })
  t.is(await ended, 'end')
})

/** A store in which there is always more to tell than any buffer holds. */
function endless({ service }: TestApi): Partial<Service> {
  const event: RevocationEvent = {
    revocation: 1,
    at: 1,
    kind: 'host',
    target: 'x'.repeat(1_000_000),
    reasonCode: 'unspecified',
    isLast: true,
    hosts: [],
    agents: [],
    certificates: [],
    tokens: [],
    operators: [],
  }
  const readEvents: Service['store']['revocations']['readEvents'] = async after =>
    await Promise.resolve({
      oldest: 1,
      newest: 1_000_000,
      events: [{ sequence: after + 1, event }],
    })
  return { store: { ...service.store, revocations: { ...service.store.revocations, readEvents } } }
}

test('a caller that does not read is dropped, one that reads is not', async t => {
  const { api, reader } = await begin(t)
  const other = await startOther(t, api, endless(api), 1_000, fast)
  const stuck = await listen(t, other, reader, '0')
  const reading = await listen(t, other, reader, '0')
  let count = 0
  // Nobody reads `stuck`, so nothing here sees it end.
  while ((await other.countConnections()) > 1 && count < 20_000) {
    count += 1
    t.like(await reading.next(), { id: String(count) })
  }
  t.is(await other.countConnections(), 1)
  t.is(stuck.answer.statusCode, 200)
  t.like(await reading.next(), { id: String(count + 1) })
})
