import test, { type ExecutionContext } from 'ava'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { askForToken, call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestHost } from '../support/test-host.ts'
import { fetchList, introspect, readPlace, statusOf } from '../support/token-standing.ts'

async function isActive(api: TestApi, asker: TestCaller, token: string): Promise<unknown> {
  return (await introspect(api, asker, token)).json['active']
}

async function begin(
  t: ExecutionContext,
): Promise<{ api: TestApi; operator: TestCaller; host: TestHost }> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
  })
  return { api, operator, host }
}

test('the first question after a revocation was answered shows it, in introspection and in the list', async t => {
  const { api, operator, host } = await begin(t)
  for (const kind of ['agent', 'class'] as const) {
    const agent = await createAgent(api, host, 'reader')
    t.is(await statusOf(api, agent.token), 0)
    t.is(await isActive(api, operator, agent.token), true)
    const target = kind === 'agent' ? { kind, id: agent.id } : { kind, name: 'reader' }
    const body = { target, reason: 'test', reasonCode: 'keyCompromise' }
    const answer = await call(api, operator, 'POST', '/v1/revocations', body)
    t.like(answer.json, { agents: 1, tokens: 1, isAlready: false, reasonCode: 'keyCompromise' })
    t.is(await isActive(api, operator, agent.token), false)
    t.is(await statusOf(api, agent.token), 1)
    t.is(await statusOf(api, host.token), 0)
  }
  await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, { reason: 'test' })
  t.is(await statusOf(api, host.token), 1)
  t.is(await isActive(api, operator, host.token), false)
})

test('a list says who it is, is not used without asking, and is sent once', async t => {
  const api = await startTestApi(t)
  const { token } = await createOperator(api)
  const { uri } = readPlace(token).status.status_list
  const answer = await fetchList(api, uri)
  t.is(answer.type, 'application/statuslist+jwt')
  t.is(answer.headers['cache-control'], 'public, no-cache')
  const etag = String(answer.headers['etag'])
  t.is((await fetchList(api, uri, [['If-None-Match', etag]])).status, 304)
  t.is((await fetchList(api, uri)).text, answer.text)
  const all = await api.send({ method: 'GET', path: '/v1/status-lists' })
  t.deepEqual(all.json, { status_lists: [uri] })
})

test('another form, another time and another list are refused', async t => {
  const api = await startTestApi(t)
  const { token } = await createOperator(api)
  const { uri } = readPlace(token).status.status_list
  const cbor = await fetchList(api, uri, [['Accept', 'application/statuslist+cwt']])
  t.like(cbor, { status: 406, json: { code: 'not-acceptable' } })
  t.is((await fetchList(api, uri, [['Accept', 'application/statuslist+jwt']])).status, 200)
  t.like(await fetchList(api, `${uri}?time=1`), { status: 501, json: { code: 'status-time' } })
  t.like(await fetchList(api, `${uri}x`), { status: 404, json: { code: 'status-list-unknown' } })
})

test('no two tokens have one place, and a list is forgotten with its last token', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => askForToken(api, operator.key)),
  )
  const places = answers.map(
    ({ json }) => readPlace(String(json['access_token'])).status.status_list,
  )
  t.is(new Set(places.map(({ idx, uri }) => `${uri} ${idx}`)).size, 100)
  t.is(new Set(places.map(({ uri }) => uri)).size, 1)
  const [{ uri } = { uri: '' }] = places
  api.clock.advance(3_600_000)
  const later = await askForToken(api, operator.key)
  t.not(readPlace(String(later.json['access_token'])).status.status_list.uri, uri)
  t.is((await fetchList(api, uri)).status, 200)
  api.clock.advance(3_600_000)
  await api.service.store.sweep(api.clock.now())
  t.is((await fetchList(api, uri)).status, 404)
})

test('a place that is taken fails the whole issue', async t => {
  const api = await startTestApi(t)
  const { token, key, id } = await createOperator(api)
  const { idx } = readPlace(token).status.status_list
  const issued = { list: 1, index: idx, jti: 'other', binding: key.jkt, expiresAt: 1 }
  const client = { kind: 'operator', id, jkt: key.jkt } as const
  await t.throwsAsync(
    async () => api.service.store.clients.act({ client, replayKeys: [], issued }),
    { code: 'store-conflict' },
  )
})

test('of a hundred requests for tokens that race with a revocation none is good after it', async t => {
  const { api, operator, host } = await begin(t)
  const body = { target: { kind: 'host', id: host.id }, reason: 'race' }
  const race = Array.from({ length: 100 }, (_, n) =>
    n === 50 ? call(api, operator, 'POST', '/v1/revocations', body) : askForToken(api, host.key),
  )
  const answers = await Promise.all(race)
  t.is(answers[50]?.status, 200)
  const tokens = answers.flatMap(({ json }) => {
    const token = json['access_token']
    return typeof token === 'string' ? [token] : []
  })
  for (const token of tokens) {
    t.is(await statusOf(api, token), 1)
    t.is(await isActive(api, operator, token), false)
  }
  t.is((await askForToken(api, host.key)).json['code'], 'host-revoked')
})
