import test, { type ExecutionContext } from 'ava'
import { StoreError } from '../../src/ports/store-error.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { askForToken, call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  askForChallenge,
  createAgent,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
  type TestHost,
} from '../support/test-host.ts'
import { renew, renewalBody } from '../support/test-renewal.ts'

const broken = (): Promise<never> => Promise.reject(new StoreError('store-unavailable'))

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

function assertUnavailable(t: ExecutionContext, answer: TestAnswer): void {
  t.is(answer.status, 503, answer.text)
  t.is(answer.json['code'], 'store-unavailable')
  t.is(answer.headers['retry-after'], '1')
}

/** Counts what the issuing authority signs. */
function countSignatures(api: TestApi): () => number {
  const { signer } = api.service.authorities.active()
  const sign = signer.sign.bind(signer)
  let count = 0
  Object.assign(signer, {
    sign: (message: Uint8Array) => {
      count += 1
      return sign(message)
    },
  })
  return () => count
}

test('no token leaves when its entry cannot be made durable', async t => {
  const { api, host } = await begin(t)
  api.service.store.clients.act = broken
  const answer = await askForToken(api, host.key)
  assertUnavailable(t, answer)
  t.like(answer.json, { error: 'temporarily_unavailable' })
  t.false(answer.text.includes('access_token'))
  t.notRegex(answer.text, /eyJ/)
})

test('nothing is signed before the intent is durable', async t => {
  const { api, host } = await begin(t)
  const signatures = countSignatures(api)
  const path = `/v1/hosts/${host.id}/credentials`
  const body = await renewalBody(api, host)
  api.service.store.certificates.intend = broken
  assertUnavailable(t, await call(api, host, 'POST', path, body))
  t.is(signatures(), 0)
})

test('no certificate leaves when its result cannot be made durable, and the next start says so', async t => {
  const { api, host } = await begin(t)
  const signatures = countSignatures(api)
  const { certificates } = api.service.store
  const issue = certificates.issue.bind(certificates)
  certificates.issue = broken
  const answer = await renew(api, host)
  assertUnavailable(t, answer)
  t.false(answer.text.includes('CERTIFICATE'))
  t.is(signatures(), 1)
  certificates.issue = issue
  const entry = { type: 'certificate.unknown', time: api.clock.now(), actor: 'service' }
  t.is(await certificates.closeOrphans(entry), 1)
  const lines = await verifyTestLog(api.service)
  t.like(lines.at(-1), { type: 'certificate.unknown', detail: { outcome: 'unknown' } })
})

test('a certificate whose host is revoked while it is signed does not leave', async t => {
  const { api, host, operator } = await begin(t)
  const { signer } = api.service.authorities.active()
  const sign = signer.sign.bind(signer)
  Object.assign(signer, {
    sign: async (message: Uint8Array) => {
      await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, { reason: 'meanwhile' })
      return await sign(message)
    },
  })
  const answer = await renew(api, host)
  t.is(answer.status, 403, answer.text)
  t.is(answer.json['code'], 'host-revoked')
  const types = (await verifyTestLog(api.service)).map(({ type }) => type)
  t.is(types.lastIndexOf('certificate.issued') < types.lastIndexOf('host.revoked'), true)
})

test('a challenge whose entry cannot be made durable is not told', async t => {
  const { api, host } = await begin(t)
  api.service.store.enrollments.create = broken
  const answer = await postJson(api, '/v1/enrollments', enrollmentBody(host.tpm))
  assertUnavailable(t, answer)
  t.false(answer.text.includes('credentialBlob'))
})

test('a refusal whose entry cannot be made durable is not told as one', async t => {
  const { api, host } = await begin(t)
  const challenge = await askForChallenge(api, host.tpm)
  const { body } = evidenceBody(host.tpm, challenge, { secret: new Uint8Array(32) })
  api.service.store.enrollments.refuse = broken
  assertUnavailable(t, await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body))
})

test('a host that cannot be admitted durably gets nothing, and its challenge is gone', async t => {
  const { api, host } = await begin(t)
  const tpm = new EmulatedTpm({ manufacturer: host.tpm.manufacturer })
  const challenge = await askForChallenge(api, tpm, 'second')
  const { body } = evidenceBody(tpm, challenge)
  const { hosts } = api.service.store
  const admit = hosts.admit.bind(hosts)
  hosts.admit = broken
  const path = `/v1/enrollments/${challenge.id}/evidence`
  assertUnavailable(t, await postJson(api, path, body))
  hosts.admit = admit
  t.is((await postJson(api, path, body)).json['code'], 'challenge-used')
  t.is((await hosts.list()).length, 1)
})

test('an agent’s key that cannot be bound durably gets no certificate', async t => {
  const { api, host } = await begin(t)
  const created = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  const { agent, challenge } = created.json as { agent: { id: string }; challenge: never }
  const signatures = countSignatures(api)
  api.service.store.agents.bindKey = broken
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge)
  assertUnavailable(t, await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body))
  t.is(signatures(), 0)
})

test('a revocation that cannot be made durable is not told as done, and nothing is revoked', async t => {
  const { api, host, operator } = await begin(t)
  const { revocations } = api.service.store
  const revoke = revocations.revoke.bind(revocations)
  revocations.revoke = broken
  const path = `/v1/hosts/${host.id}/revoke`
  assertUnavailable(t, await call(api, operator, 'POST', path, { reason: 'x' }))
  revocations.revoke = revoke
  t.is((await askForToken(api, host.key)).status, 200)
})

test('whoever asks for a token while the store is overloaded is told to come again', async t => {
  const { api, host } = await begin(t)
  api.service.store.clients.act = () => Promise.reject(new StoreError('store-overloaded'))
  const answer = await askForToken(api, host.key)
  t.is(answer.status, 503)
  t.like(answer.json, { error: 'temporarily_unavailable', code: 'store-overloaded' })
  api.clock.advance(5_000)
  api.service.store.clients.findByKey = () => Promise.reject(new StoreError('store-overloaded'))
  t.is((await askForToken(api, host.key)).status, 503)
})

test('an authority that has ended issues nothing', async t => {
  const { api, host } = await begin(t)
  const agent = await createAgent(api, host, 'reader')
  t.is(agent.issued.status, 201)
  api.clock.advance(366 * 86_400_000)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const challenge = await askForChallenge(api, tpm, 'late')
  const { body } = evidenceBody(tpm, challenge)
  const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  t.is(answer.status, 503, answer.text)
  t.is(answer.json['code'], 'authority-expired')
})
