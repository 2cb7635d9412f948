import test from 'ava'
import { assertProblem } from '../support/assert-problem.ts'
import { verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import { call, fetchToken } from '../support/test-caller.ts'
import { agentEvidenceBody, createAgent, enrollHost, testKeyOf } from '../support/test-host.ts'
import { renew } from '../support/test-renewal.ts'
import { begin, create, leafOf, reader } from './agent-stage.ts'

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
