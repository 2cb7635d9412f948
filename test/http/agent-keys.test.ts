import test from 'ava'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { assertProblem } from '../support/assert-problem.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { call, createOperator, fetchToken } from '../support/test-caller.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { starterPolicies } from '../support/test-policies.ts'
import { agentEvidenceBody, createAgent, testKeyOf } from '../support/test-host.ts'
import { renew, renewalBody } from '../support/test-renewal.ts'
import { begin, create, leafOf } from './agent-stage.ts'

test('a key that the TPM did not certify, or not for this, gets no certificate', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const other = new EmulatedTpm({ manufacturer: host.tpm.manufacturer })
  for (const [tpm, edit, code] of [
    [host.tpm, { requestKey: other.createSubjectKey() }, 'csr-key-differs'],
    [host.tpm, { requestSigner: other.createSubjectKey() }, 'csr-unsigned'],
    [host.tpm, { nonce: new Uint8Array(32) }, 'certify-binding'],
    [other, {}, 'certify-signature'],
  ] as const) {
    const { agent, challenge } = await create(fleet)
    const { body } = agentEvidenceBody(tpm, agent.id, challenge, edit)
    const path = `/v1/agents/${agent.id}/credentials`
    const refused = await call(api, host, 'POST', path, body)
    assertProblem(t, refused, 403, code)
    t.is((refused.json['checks'] as { code: string }[]).at(-1)?.code, code)
    const { body: right } = agentEvidenceBody(host.tpm, agent.id, challenge)
    assertProblem(t, await call(api, host, 'POST', path, right), 409, 'challenge-used')
    const line = (await verifyTestLog(api.service)).findLast(({ type }) => type === 'agent.refused')
    t.like(line, { actor: host.clientId, subject: agent.spiffeId, detail: { code } })
  }
})

test('a challenge is for one agent: another cannot use it, and it stays for whose it is', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const one = await create(fleet)
  const two = await create(fleet)
  const crossed = agentEvidenceBody(host.tpm, two.agent.id, one.challenge)
  const answer = await call(
    api,
    host,
    'POST',
    `/v1/agents/${two.agent.id}/credentials`,
    crossed.body,
  )
  assertProblem(t, answer, 404, 'challenge-unknown')
  const right = agentEvidenceBody(host.tpm, one.agent.id, one.challenge)
  t.is(
    (await call(api, host, 'POST', `/v1/agents/${one.agent.id}/credentials`, right.body)).status,
    201,
  )
})

test('a challenge ends with its time', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const { agent, challenge } = await create(fleet)
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge)
  api.clock.advance(300_000)
  const token = await fetchToken(api, host.key)
  const answer = await call(
    api,
    { ...host, token },
    'POST',
    `/v1/agents/${agent.id}/credentials`,
    body,
  )
  assertProblem(t, answer, 410, 'challenge-expired')
})

test('an agent renews for its own key, and for no other', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const agent = await createAgent(api, host, 'reader', { resource: 'https://assay.example' })
  const renewed = await renew(api, agent)
  t.is(renewed.status, 201, renewed.text)
  t.true(leafOf(renewed).publicKey.equals(agent.key.publicKey))
  t.not(leafOf(renewed).serialNumber, leafOf(agent.issued).serialNumber)
  const other = host.tpm.createSubjectKey()
  const refused = [
    [{ subject: other }, 'renewal-key-differs'],
    [{ requestKey: other }, 'renewal-key-differs'],
    [{ requestSigner: other }, 'csr-signature'],
    [{ request: () => Buffer.of(0, 0, 0) }, 'csr-malformed'],
  ] as const
  for (const [edit, code] of refused) assertProblem(t, await renew(api, agent, { edit }), 400, code)
  const lines = await verifyTestLog(api.service)
  const codes = lines
    .filter(({ type }) => type === 'certificate.refused')
    .map(({ detail }) => detail['code'])
  t.deepEqual(
    codes,
    refused.map(([, code]) => code),
  )
})

test('nobody renews for somebody else', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const form = { resource: 'https://assay.example' }
  const one = await createAgent(api, host, 'reader', form)
  const two = await createAgent(api, host, 'reader', form)
  for (const [caller, path] of [
    [one, `/v1/agents/${two.id}`],
    [one, `/v1/hosts/${one.id}`],
    [one, `/v1/hosts/${host.id}`],
    [host, `/v1/agents/${one.id}`],
    [host, `/v1/agents/${host.id}`],
  ] as const) {
    const body = await renewalBody(api, caller)
    const answer = await call(api, caller, 'POST', `${path}/credentials`, body)
    assertProblem(t, answer, 403, 'caller-not-permitted')
    const asked = await call(api, caller, 'POST', `${path}/renewal-challenge`)
    assertProblem(t, asked, 403, 'caller-not-permitted')
  }
})

test('an agent cannot prove a key for itself: that is its host’s to do', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const agent = await createAgent(api, host, 'reader', { resource: 'https://assay.example' })
  const challenge = (await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)).json
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge as never)
  const path = `/v1/agents/${agent.id}/credentials`
  assertProblem(t, await call(api, agent, 'POST', path, body), 403, 'caller-not-permitted')
  t.is((await call(api, host, 'POST', path, body)).status, 201)
})

test('a rekeyed agent speaks with its new key alone', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const agent = await createAgent(api, host, 'reader', { resource: 'https://assay.example' })
  const challenge = (await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)).json
  const { body, key } = agentEvidenceBody(host.tpm, agent.id, challenge as never)
  const path = `/v1/agents/${agent.id}/credentials`
  const rekeyed = await call(api, host, 'POST', path, body)
  t.is(rekeyed.status, 201, rekeyed.text)
  t.true(leafOf(rekeyed).publicKey.equals(key.publicKey))
  const asked = await call(api, agent, 'POST', `/v1/agents/${agent.id}/renewal-challenge`)
  assertProblem(t, asked, 403, 'key-superseded')
  await t.throwsAsync(fetchToken(api, agent.key), { message: /key-superseded|invalid_client/ })
  t.truthy(await fetchToken(api, testKeyOf(key)))
})

test('a rekey that is not permitted leaves the agent what it has', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const agent = await createAgent(api, host, 'reader', { resource: 'https://assay.example' })
  const forbid =
    '@id("no-rekey") forbid (principal is Agent, action == Action::"issueCertificate", resource);'
  await establishSet(api, await createOperator(api), `${starterPolicies}\n${forbid}`)
  const challenge = (await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)).json
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge as never)
  const path = `/v1/agents/${agent.id}/credentials`
  const denied = await call(api, host, 'POST', path, body)
  assertProblem(t, denied, 403, 'authorization-denied')
  t.truthy(await fetchToken(api, agent.key))
  const all = await api.service.store.certificateStatus.listCertificates(10)
  const own = all.filter(({ subjectId }) => subjectId === agent.id)
  t.deepEqual(
    own.map(({ status }) => status),
    ['issued'],
  )
})

test('a key speaks for one client alone', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const one = await createAgent(api, host, 'reader')
  const two = await create(fleet)
  const { body } = agentEvidenceBody(host.tpm, two.agent.id, two.challenge, { subject: one.tpmKey })
  const answer = await call(api, host, 'POST', `/v1/agents/${two.agent.id}/credentials`, body)
  assertProblem(t, answer, 409, 'key-in-use')
})
