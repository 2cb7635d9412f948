import { get, type IncomingMessage } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator, proofOf, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestHost } from '../support/test-host.ts'

/** One event of a stream. */
interface Told {
  readonly id: string
  readonly data: Record<string, unknown>
}

/** A stream that is held open: its answer, and its next event. */
interface Held {
  readonly answer: IncomingMessage
  next(): Promise<Told | 'end'>
}

async function listen(
  t: ExecutionContext,
  api: TestApi,
  caller: TestCaller,
  last?: string,
): Promise<Held> {
  const path = '/v1/events'
  const proof = await proofOf(api, caller.key, { method: 'GET', path, token: caller.token })
  const headers = {
    Authorization: `DPoP ${caller.token}`,
    DPoP: proof,
    ...(last === undefined ? {} : { 'Last-Event-ID': last }),
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port: api.port, path, headers, agent: false }, resolve).on('error', reject)
  })
  t.teardown(() => answer.destroy())
  const told = eventsOf(answer)
  return {
    answer,
    next: async () => {
      const { value } = await told.next()
      return value ?? 'end'
    },
  }
}

async function* eventsOf(answer: IncomingMessage): AsyncGenerator<Told, undefined> {
  let text = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) {
    text += String(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string): string | undefined =>
        lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const [id, data] = [field('id'), field('data')]
      if (id !== undefined && data !== undefined) yield { id, data: JSON.parse(data) as never }
    }
  }
  return undefined
}

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

test('an agent may not listen, and an id that is none or not yet is refused', async t => {
  const { api, operator, host } = await begin(t)
  const codeOf = async (caller: TestCaller, last?: string): Promise<[number, unknown]> => {
    const { answer } = await listen(t, api, caller, last)
    if (answer.statusCode === 200) return [200, undefined]
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    return [answer.statusCode ?? 0, (JSON.parse(text) as { code: string }).code]
  }
  t.deepEqual(await codeOf(host), [403, 'token-scope'])
  t.deepEqual(await codeOf(operator, 'x'), [400, 'event-id'])
  t.deepEqual(await codeOf(operator, '7'), [410, 'events-forgotten'])
  t.deepEqual(await codeOf(operator, '0'), [200, undefined])
})

test('so many may listen and no more, until one of them goes', async t => {
  const { api, operator } = await begin(t)
  const held = await Promise.all(Array.from({ length: 64 }, () => listen(t, api, operator)))
  t.is((await listen(t, api, operator)).answer.statusCode, 503)
  held[0]?.answer.destroy()
  let status: number | undefined = 503
  for (let n = 0; n < 50 && status === 503; n += 1) {
    await new Promise(resolve => setTimeout(resolve, 50))
    const { answer } = await listen(t, api, operator)
    status = answer.statusCode
    if (status === 503) answer.resume()
  }
  t.is(status, 200)
})
