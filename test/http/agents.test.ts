import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { assertProblem } from '../support/assert-problem.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from '../support/test-caller.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { starterPolicies } from '../support/test-policies.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  createAgent,
  enrollHost,
  testKeyOf,
  type TestHost,
} from '../support/test-host.ts'
import { renew, renewalBody } from '../support/test-renewal.ts'

interface Fleet {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
}

const reader = {
  name: 'reader',
  audiences: ['https://api.example/'],
  scopes: ['read'],
  hosts: ['*'],
  tokenLifetimeSeconds: 120,
}

async function begin(t: ExecutionContext, hosts: readonly string[] = ['*']): Promise<Fleet> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', { ...reader, hosts })
  return { api, operator, host }
}

interface Created {
  readonly agent: { readonly id: string; readonly spiffeId: string }
  readonly challenge: { readonly id: string; readonly nonce: string; readonly audience: string }
}

async function create({ api, host }: Fleet): Promise<Created> {
  const answer = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.json as unknown as Created
}

function leafOf(answer: TestAnswer): X509Certificate {
  return new X509Certificate((answer.json['certificateChain'] as string[])[0] ?? '')
}

test('a host creates an agent, proves its key, and gets a certificate for that key', async t => {
  const fleet = await begin(t)
  const agent = await createAgent(fleet.api, fleet.host, 'reader')
  const leaf = leafOf(agent.issued)
  t.true(leaf.publicKey.equals(agent.key.publicKey))
  t.is(leaf.subjectAltName, `URI:${agent.clientId}`)
  t.regex(agent.clientId, /^spiffe:\/\/example\.org\/agent\/reader\//)
  t.like(agent.issued.json['agent'], {
    status: 'active',
    jkt: agent.key.jkt,
    hostId: fleet.host.id,
  })
  const { json } = await call(fleet.api, fleet.operator, 'GET', '/v1/agents')
  t.like(json, { agents: [{ id: agent.id, status: 'active' }] })
})

test('each step of an agent is in the log', async t => {
  const fleet = await begin(t)
  const agent = await createAgent(fleet.api, fleet.host, 'reader')
  const lines = await verifyTestLog(fleet.api.service)
  const of = lines.filter(({ subject }) => subject === agent.clientId)
  t.deepEqual(
    of.map(({ type }) => type),
    ['agent.created', 'agent.key-bound', 'certificate.intended', 'certificate.issued'],
  )
  t.is(of[0]?.actor, fleet.host.clientId)
})

test('an agent is pending, and speaks for nobody, until its key is proven', async t => {
  const fleet = await begin(t)
  const { agent, challenge } = await create(fleet)
  const { key } = agentEvidenceBody(fleet.host.tpm, agent.id, challenge)
  await t.throwsAsync(fetchToken(fleet.api, testKeyOf(key)), { message: /invalid_client/ })
})

test('an agent of an unknown class, or of one that may not run here, is not created', async t => {
  const fleet = await begin(t, ['another-host'])
  const ask = async (name: string): Promise<TestAnswer> =>
    await call(fleet.api, fleet.host, 'POST', '/v1/agents', { class: name })
  assertProblem(t, await ask('writer'), 404, 'class-unknown')
  assertProblem(t, await ask('reader'), 403, 'class-not-on-host')
  await call(fleet.api, fleet.operator, 'POST', '/v1/classes', {
    ...reader,
    name: 'here',
    hosts: [fleet.host.id],
  })
  t.is((await ask('here')).status, 201)
})

test('only hosts create agents', async t => {
  const fleet = await begin(t)
  const agent = await createAgent(fleet.api, fleet.host, 'reader', {
    resource: 'https://assay.example',
  })
  for (const caller of [agent, fleet.operator])
    assertProblem(
      t,
      await call(fleet.api, caller, 'POST', '/v1/agents', { class: 'reader' }),
      403,
      'token-scope',
    )
})

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

test('another host can neither prove, challenge nor see through an agent that is not its own', async t => {
  const fleet = await begin(t)
  const { api, host } = fleet
  const other = await enrollHost(api, host.tpm.manufacturer, { name: 'other' })
  const { agent, challenge } = await create(fleet)
  const { body } = agentEvidenceBody(other.tpm, agent.id, challenge)
  assertProblem(
    t,
    await call(api, other, 'POST', `/v1/agents/${agent.id}/credentials`, body),
    403,
    'agent-not-here',
  )
  assertProblem(
    t,
    await call(api, other, 'POST', `/v1/agents/${agent.id}/challenge`),
    403,
    'agent-not-here',
  )
  assertProblem(
    t,
    await call(api, other, 'POST', '/v1/agents/nobody/challenge'),
    404,
    'agent-unknown',
  )
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

test('a host renews its own certificate', async t => {
  const { api, host } = await begin(t)
  const renewed = await renew(api, host)
  t.is(renewed.status, 201, renewed.text)
  t.is(leafOf(renewed).subjectAltName, `URI:${host.clientId}`)
})

test('no certificate outlasts what its host attested', async t => {
  const { api, host } = await begin(t)
  const attested = host.enrolled.json['host'] as { attestationExpiresAt: number }
  api.clock.advance(86_400_000 - 600_000)
  const token = await fetchToken(api, host.key)
  const leaf = leafOf(await renew(api, { ...host, token }))
  // Its last second is good to the end, and over when the Attestation Result is.
  t.true(Date.parse(leaf.validTo) + 1000 <= attested.attestationExpiresAt)
  t.true(Date.parse(leaf.validTo) > attested.attestationExpiresAt - 2000)
})

test('a revoked agent is refused from its next call on, with its certificates and tokens', async t => {
  const fleet = await begin(t)
  const { api, host, operator } = fleet
  const form = { resource: 'https://assay.example' }
  const agent = await createAgent(api, host, 'reader', form)
  const sibling = await createAgent(api, host, 'reader', form)
  const path = `/v1/agents/${agent.id}/revoke`
  t.like((await call(api, operator, 'POST', path, { reason: 'odd' })).json, {
    agents: 1,
    certificates: 1,
  })
  t.like((await call(api, operator, 'POST', path, { reason: 'odd' })).json, {
    agents: 0,
    certificates: 0,
  })
  assertProblem(
    t,
    await call(api, agent, 'POST', `/v1/agents/${agent.id}/renewal-challenge`),
    403,
    'agent-revoked',
  )
  await t.throwsAsync(fetchToken(api, agent.key), { message: /agent-revoked/ })
  assertProblem(
    t,
    await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`),
    403,
    'agent-revoked',
  )
  t.is((await renew(api, sibling)).status, 201)
  assertProblem(
    t,
    await call(api, operator, 'POST', '/v1/agents/nobody/revoke', { reason: 'x' }),
    404,
    'agent-unknown',
  )
})

test('a revoked host takes its agents, certificates and tokens with it, and leaves other hosts alone', async t => {
  const fleet = await begin(t)
  const { api, host, operator } = fleet
  const form = { resource: 'https://assay.example' }
  const agents = [
    await createAgent(api, host, 'reader', form),
    await createAgent(api, host, 'reader', form),
  ]
  const other = await enrollHost(api, host.tpm.manufacturer, { name: 'other' })
  const bystander = await createAgent(api, other, 'reader', form)
  const pending = await create(fleet)
  const answer = await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, {
    reason: 'stolen',
  })
  t.like(answer.json, { id: host.id, agents: 3, certificates: 3 })
  assertProblem(
    t,
    await call(api, host, 'POST', '/v1/agents', { class: 'reader' }),
    403,
    'host-revoked',
  )
  await t.throwsAsync(fetchToken(api, host.key), { message: /host-revoked/ })
  for (const agent of agents) {
    assertProblem(
      t,
      await call(api, agent, 'POST', `/v1/agents/${agent.id}/renewal-challenge`),
      403,
      'host-revoked',
    )
    await t.throwsAsync(fetchToken(api, agent.key), { message: /host-revoked/ })
  }
  const { body } = agentEvidenceBody(host.tpm, pending.agent.id, pending.challenge)
  assertProblem(
    t,
    await call(api, host, 'POST', `/v1/agents/${pending.agent.id}/credentials`, body),
    403,
    'host-revoked',
  )
  t.is((await renew(api, bystander)).status, 201)
  assertProblem(
    t,
    await call(api, operator, 'POST', '/v1/hosts/nobody/revoke', { reason: 'x' }),
    404,
    'host-unknown',
  )
})
