import test, { type ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { activateAuthority, prepareAuthority } from '../../src/services/authority-rotation.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost, type TestHost } from '../support/test-host.ts'

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  readonly first: string
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  return { api, operator, host, first: api.service.authorities.active().id }
}

async function prepare({ api, operator }: Stage, kind = 'root'): Promise<string> {
  const answer = await call(api, operator, 'POST', '/v1/authorities', { kind })
  return String(answer.json['id'])
}

async function verb(
  { api, operator }: Stage,
  id: string,
  name: string,
  body: object = { reason: 'a test' },
): Promise<TestAnswer> {
  return await call(api, operator, 'POST', `/v1/authorities/${id}/${name}`, body)
}

const bundle = async ({ api }: Stage): Promise<TestAnswer> =>
  await api.send({ method: 'GET', path: '/v1/bundle' })

const rootsIn = ({ json }: TestAnswer): number =>
  (json['keys'] as { use: string }[]).filter(({ use }) => use === 'x509-svid').length

async function adopt({ api, host }: Stage, sequence: unknown): Promise<TestAnswer> {
  return await call(api, host, 'POST', '/v1/bundle/adoption', { sequence })
}

test('an authority goes through its states, and the bundle with it', async t => {
  const stage = await begin(t)
  const before = await bundle(stage)
  t.is(rootsIn(before), 1)
  const next = await prepare(stage)
  const prepared = await bundle(stage)
  t.is(rootsIn(prepared), 2)
  t.true(Number(prepared.json['spiffe_sequence']) > Number(before.json['spiffe_sequence']))

  const early = await verb(stage, next, 'activate', {})
  t.is(early.status, 409)
  t.like(early.json, { code: 'bundle-not-adopted', missing: [{ name: 'host-1' }] })
  t.is((await adopt(stage, prepared.json['spiffe_sequence'])).status, 200)
  t.like((await verb(stage, next, 'activate', {})).json, { state: 'active' })
  t.is(stage.api.service.authorities.active().id, next)

  t.like((await verb(stage, stage.first, 'taint')).json, { state: 'tainted', certificates: 1 })
  t.is(rootsIn(await bundle(stage)), 2)
  t.like((await verb(stage, stage.first, 'revoke')).json, { state: 'revoked', certificates: 1 })
  const after = await bundle(stage)
  t.is(rootsIn(after), 1)
  t.true(Number(after.json['spiffe_sequence']) > Number(prepared.json['spiffe_sequence']))
  const log = await verifyTestLog(stage.api.service)
  const types = log.map(({ type }) => type).filter(type => type.startsWith('authority.'))
  t.deepEqual(types, [
    'authority.activated',
    'authority.intended',
    'authority.prepared',
    'authority.activated',
    'authority.tainted',
    'authority.revoked',
  ])
})

test('the bundle keeps its bytes for as long as it keeps its roots, whoever stands under them', async t => {
  const stage = await begin(t)
  await prepare(stage)
  const below = await prepare(stage, 'intermediate')
  await verb(stage, below, 'activate', { force: true, reason: 'a test' })
  const before = await bundle(stage)
  t.is((await verb(stage, stage.first, 'revoke')).status, 200)
  t.is((await bundle(stage)).text, before.text)
})

test('what falls with an authority is told as whatever else falls', async t => {
  const stage = await begin(t)
  const { api, first } = stage
  const below = await prepare(stage, 'intermediate')
  await verb(stage, below, 'activate', { force: true, reason: 'a test' })
  const before = (await api.service.store.revocations.readEvents(0, 100)).newest
  t.like((await verb(stage, first, 'revoke')).json, { state: 'revoked', certificates: 1 })
  const { events } = await api.service.store.revocations.readEvents(before, 100)
  t.is(events.length, 1)
  t.like(events[0]?.event, { kind: 'authority', target: first, reasonCode: 'cACompromise' })
  const serials = events[0]?.event.certificates ?? []
  t.is(serials.length, 1)
  await refreshCertificateLists(api.service)
  const shard = shardOf(serials[0] ?? '')
  const list = await api.send({ method: 'GET', path: `/crl/${first}/${shard}` })
  t.deepEqual([...parseCertificateList(list.bytes).revoked.keys()], serials)
})

test('an authority below the present root needs nobody to fetch a bundle', async t => {
  const stage = await begin(t)
  const { json } = await bundle(stage)
  await adopt(stage, json['spiffe_sequence'])
  const next = await prepare(stage, 'intermediate')
  t.is((await bundle(stage)).json['spiffe_sequence'], json['spiffe_sequence'])
  t.is((await verb(stage, next, 'activate', {})).status, 200)
  t.is((await verb(stage, stage.first, 'revoke')).status, 200)
  t.is(rootsIn(await bundle(stage)), 1)
})

test('force takes a reason, and both are in the log', async t => {
  const stage = await begin(t)
  const next = await prepare(stage)
  t.like((await verb(stage, next, 'activate', { force: true })).json, { code: 'request-malformed' })
  const reason = 'the old key is lost'
  t.is((await verb(stage, next, 'activate', { force: true, reason })).status, 200)
  const log = await verifyTestLog(stage.api.service)
  const [entry] = log.filter(({ type }) => type === 'authority.activated').toReversed()
  t.like(entry?.detail, { forced: true, reason, missing: 1 })
})

test('a host that is revoked, or attested too long ago, is not waited for', async t => {
  const stage = await begin(t)
  const { service, clock } = stage.api
  clock.advance(86_400_000)
  const next = await prepareAuthority(service, 'operator/1', { kind: 'root', reason: null })
  const request = { isForced: false, reason: null }
  const { authority } = await activateAuthority(service, 'operator/1', next.authority.id, request)
  t.is(authority.state, 'active')
})

test('steps that a state does not take are refused', async t => {
  const stage = await begin(t)
  const refused = async (id: string, name: string): Promise<unknown> =>
    (await verb(stage, id, name, name === 'activate' ? {} : undefined)).json['code']
  t.is(await refused(stage.first, 'activate'), 'authority-state')
  t.is(await refused(stage.first, 'revoke'), 'authority-state')
  t.is(await refused('nobody', 'taint'), 'authority-unknown')
  t.is(await refused('nobody', 'revoke'), 'authority-unknown')
  t.is(await refused('nobody', 'activate'), 'authority-unknown')
  const next = await prepare(stage)
  t.is((await verb(stage, next, 'revoke')).status, 200)
  for (const name of ['activate', 'taint', 'revoke'])
    t.is(await refused(next, name), 'authority-state')
})

test('where none issues, nothing is issued', async t => {
  const stage = await begin(t)
  await verb(stage, stage.first, 'taint')
  const answer = await call(stage.api, stage.operator, 'POST', '/v1/authorities', {
    kind: 'intermediate',
  })
  t.is(answer.status, 503)
  t.is(answer.json['code'], 'authority-absent')
})

test('a host names a bundle that there is, once; operators and agents name none', async t => {
  const stage = await begin(t)
  const { json } = await bundle(stage)
  const sequence = Number(json['spiffe_sequence'])
  t.is((await adopt(stage, sequence + 1)).json['code'], 'bundle-sequence')
  t.is((await adopt(stage, 0)).json['code'], 'request-malformed')
  for (const again of [sequence, sequence, 1]) t.is((await adopt(stage, again)).status, 200)
  const { api, operator } = stage
  const adoption = await call(api, operator, 'POST', '/v1/bundle/adoption', { sequence })
  t.is(adoption.json['code'], 'token-scope')
  const log = await verifyTestLog(api.service)
  t.is(log.filter(({ type }) => type === 'bundle.adopted').length, 1)
})

test('auditors see the authorities and who knows them, and turn nothing over; no key is shown', async t => {
  const stage = await begin(t)
  const auditor = await createOperator(stage.api, 'auditor')
  const shown = await call(stage.api, auditor, 'GET', '/v1/authorities')
  t.like(shown.json, { bundleSequence: 1, hosts: [{ name: 'host-1', sequence: 0 }] })
  const [first] = shown.json['authorities'] as Record<string, unknown>[]
  t.like(first, { state: 'active', adoption: { hosts: 1, adopted: 0, missing: ['host-1'] } })
  t.false(shown.text.includes('key.pem'))
  const refused = await call(stage.api, auditor, 'POST', '/v1/authorities', { kind: 'root' })
  t.is(refused.json['code'], 'token-scope')
})

test('who has the bundle already is told so', async t => {
  const stage = await begin(t)
  const first = await bundle(stage)
  const headers = [['If-None-Match', String(first.headers.etag)]] as const
  const again = await stage.api.send({ method: 'GET', path: '/v1/bundle', headers })
  t.is(again.status, 304)
  t.is(first.type, 'application/json')
  await prepare(stage)
  const next = await stage.api.send({ method: 'GET', path: '/v1/bundle', headers })
  t.is(next.status, 200)
})
