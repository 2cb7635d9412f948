import test, { type ExecutionContext } from 'ava'
import { readEntryBundle, readHashTile } from '../../src/services/audit-log.ts'
import { ClientDirectory } from '../../src/services/client-directory.ts'
import { requireReady } from '../../src/services/readiness.ts'
import type { ClientRecord } from '../../src/ports/records.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { askForToken, call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  createAgent,
  enrollHost,
  type TestHost,
} from '../support/test-host.ts'
import { renew, renewalBody } from '../support/test-renewal.ts'
import { createTestService } from '../support/test-service.ts'

// What a store answers when somebody else came first in between: rare, and told by its own code all the same.

interface Fleet {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
}

async function begin(t: ExecutionContext): Promise<Fleet> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = { name: 'reader', audiences: ['https://api.example/'], scopes: [], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', reader)
  return { api, operator, host }
}

async function renewHost({ api, host }: Fleet): Promise<TestAnswer> {
  return await renew(api, host)
}

for (const [answer, code, status] of [
  ['unknown', 'agent-unknown', 404],
  ['revoked', 'agent-revoked', 403],
  ['host-revoked', 'host-revoked', 403],
  ['key-in-use', 'key-in-use', 409],
  ['hsm-key-retired', 'hsm-key-retired', 409],
] as const) {
  test(`a key that cannot be bound because of "${answer}" is refused as ${code}`, async t => {
    const { api, host } = await begin(t)
    const created = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
    const { agent, challenge } = created.json as { agent: { id: string }; challenge: never }
    const { body } = agentEvidenceBody(host.tpm, agent.id, challenge)
    api.service.store.agents.bindKey = async () => answer
    const refused = await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
    t.like(refused, { status, json: { code } })
  })
}

test('an agent is not created on a host that was revoked a moment ago', async t => {
  const { api, host } = await begin(t)
  api.service.store.agents.create = async () => 'host-revoked'
  const answer = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  t.like(answer, { status: 403, json: { code: 'host-revoked' } })
})

test('a certificate is not intended past what the host attested, or for one who was revoked', async t => {
  const fleet = await begin(t)
  const { api, operator, host } = fleet
  const { certificates } = api.service.store
  const intend = certificates.intend.bind(certificates)
  certificates.intend = async () => 'attestation-expired'
  t.like(await renewHost(fleet), { status: 403, json: { code: 'attestation-expired' } })
  certificates.intend = async () => 'hsm-key-retired'
  t.like(await renewHost(fleet), { status: 409, json: { code: 'hsm-key-retired' } })
  certificates.intend = async (...args) => {
    await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, { reason: 'meanwhile' })
    return await intend(...args)
  }
  t.like(await renewHost(fleet), { status: 403, json: { code: 'host-revoked' } })
})

test('a host whose attestation has ended renews nothing', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const { hosts, clients } = api.service.store
  const findByKey = clients.findByKey.bind(clients)
  clients.findByKey = async jkt => {
    const client = await findByKey(jkt)
    if (client?.kind !== 'host') return client
    return { ...client, host: { ...client.host, attestationExpiresAt: api.clock.now() + 500 } }
  }
  t.like(await renewHost(fleet), { status: 403, json: { code: 'attestation-expired' } })
  t.truthy(await hosts.find(host.id))
})

test('a token whose host’s attestation ended in between is not told', async t => {
  const { api, host } = await begin(t)
  api.service.store.clients.act = async () => 'attestation-expired'
  const answer = await askForToken(api, host.key)
  t.like(answer, { status: 401, json: { error: 'invalid_client', code: 'attestation-expired' } })
})

test('asking for a revocation twice is no error, and takes nothing more', async t => {
  const { api, host, operator } = await begin(t)
  const path = `/v1/hosts/${host.id}/revoke`
  t.like(await call(api, operator, 'POST', path, { reason: 'x' }), {
    status: 200,
    json: { agents: 0, certificates: 1 },
  })
  t.like(await call(api, operator, 'POST', path, { reason: 'x' }), {
    status: 200,
    json: { agents: 0, certificates: 0 },
  })
})

test('operators have no certificate to renew, and do not prove keys', async t => {
  const { api, operator, host } = await begin(t)
  const path = `/v1/hosts/${host.id}/credentials`
  t.like(await call(api, operator, 'POST', path, await renewalBody(api, host)), {
    status: 403,
    json: { code: 'token-scope' },
  })
})

test('a host that was rekeyed by a new enrolment acts with its former key no more', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  await enrollHost(api, host.tpm.manufacturer, { tpm: host.tpm, name: 'again' })
  const answer = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  t.like(answer, { status: 403, json: { code: 'key-superseded' } })
  api.clock.advance(3_000)
  const later = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  t.like(later, { status: 403, json: { code: 'key-superseded' } })
})

test('a host whose record changed after its token was checked is looked at once more', async t => {
  const { api, host } = await begin(t)
  const { hosts } = api.service.store
  hosts.find = async () => undefined
  const answer = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  t.like(answer, { status: 403, json: { code: 'key-superseded' } })
})

test('a failure that is none of ours has one form at every endpoint', async t => {
  const { api, host } = await begin(t)
  api.service.store.clients.act = () => Promise.reject(new Error('disk on fire'))
  const answer = await askForToken(api, host.key)
  t.like(answer, { status: 500, type: 'application/problem+json' })
  t.is(answer.json['code'], 'internal-error')
  t.false(answer.text.includes('fire'))
})

test('hashes are read as hashes and entries as entries', async t => {
  const { service } = await createTestService(t)
  await t.throwsAsync(readHashTile(service, 'tile/entries/000'), { code: 'tile-path-malformed' })
  await t.throwsAsync(readEntryBundle(service, 'tile/0/000'), { code: 'tile-path-malformed' })
})

test('who a key speaks for is remembered for two seconds, and forgotten when there are too many', async t => {
  let asked = 0
  const record = (jkt: string): ClientRecord => ({ kind: 'operator', key: { jkt } }) as ClientRecord
  const directory = new ClientDirectory({
    findByKey: async (jkt: string) => {
      asked += 1
      return jkt === 'nobody' ? undefined : record(jkt)
    },
    act: async () => 'done',
  })
  for (let count = 0; count < 3; count += 1) await directory.find('a', 0)
  t.is(asked, 1)
  await directory.find('a', 2_000)
  t.is(asked, 2)
  for (let count = 0; count < 2; count += 1) t.is(await directory.find('nobody', 2_000), undefined)
  t.is(asked, 4)
  for (let count = 0; count < 20_000; count += 1) await directory.find(`k${count}`, 2_500)
  asked = 0
  await directory.find('k19999', 2_600)
  t.is(asked, 0)
  await directory.find('a', 2_600)
  t.is(asked, 1)
})

test('a store that recovers is ready at the next second', async t => {
  const { service, clock } = await createTestService(t)
  const ping = service.store.ping.bind(service.store)
  service.store.ping = () => Promise.reject(new Error('no'))
  await t.throwsAsync(requireReady(service))
  service.store.ping = ping
  await t.throwsAsync(requireReady(service))
  clock.advance(1_000)
  await t.notThrowsAsync(requireReady(service))
})

test('an agent of a class without scopes gets none, and may ask for none', async t => {
  const { api, host } = await begin(t)
  const agent = await createAgent(api, host, 'reader')
  const answer = await askForToken(api, agent.key)
  t.is(answer.json['scope'], '')
  const refused = await askForToken(api, agent.key, { scope: 'read' })
  t.like(refused.json, { error: 'invalid_scope' })
  t.regex(String(refused.json['error_description']), /nothing/)
})
