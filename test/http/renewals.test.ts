import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { requestCertificate } from '../../swtpm/emulated/answer.ts'
import { assertProblem } from '../support/assert-problem.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import {
  certificateIdOf,
  pathOf,
  renew,
  renewalBody,
  type Holder,
} from '../support/test-renewal.ts'

interface Fleet {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  readonly agent: TestAgent
}

const ownApi = { resource: 'https://assay.example' }

async function begin(t: ExecutionContext): Promise<Fleet> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = { name: 'reader', audiences: ['https://api.example/'], scopes: [], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', reader)
  return { api, operator, host, agent: await createAgent(api, host, 'reader', ownApi) }
}

/** The holder with a token that is good at the service's time. */
async function refreshed<T extends Holder>(api: TestApi, holder: T): Promise<T> {
  return {
    ...holder,
    token: await fetchToken(api, holder.key, 'host' in holder ? ownApi : undefined),
  }
}

function serialOf(answer: TestAnswer): string {
  const [leaf = ''] = answer.json['certificateChain'] as string[]
  return new X509Certificate(leaf).serialNumber.toLowerCase()
}

test('a renewal without a proof of the hardware is refused, for host and agent', async t => {
  const { api, host, agent } = await begin(t)
  for (const holder of [host, agent]) {
    const csr = encodeBase64url(requestCertificate(holder.tpmKey))
    const answer = await call(api, holder, 'POST', pathOf(holder, 'credentials'), { csr })
    assertProblem(t, answer, 400, 'renewal-unproven')
    t.is((await renew(api, holder)).status, 201)
  }
})

test('a proof is good for one renewal, for its purpose and for whose it is', async t => {
  const { api, host, agent } = await begin(t)
  const path = pathOf(agent, 'credentials')
  const body = await renewalBody(api, agent)
  t.is((await call(api, agent, 'POST', path, body)).status, 201)
  assertProblem(t, await call(api, agent, 'POST', path, body), 409, 'challenge-used')
  const hosts = await renewalBody(api, host)
  const crossed = { ...body, renewal: { ...body.renewal, challenge: hosts.renewal['challenge'] } }
  assertProblem(t, await call(api, agent, 'POST', path, crossed), 404, 'challenge-unknown')
  const asked = await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)
  const challenge = asked.json['id']
  const foreign = { ...body, renewal: { ...body.renewal, challenge } }
  assertProblem(t, await call(api, agent, 'POST', path, foreign), 404, 'challenge-unknown')
  t.is((await call(api, host, 'POST', pathOf(host, 'credentials'), hosts)).status, 201)
})

test('a proof for a first key renews nothing, nor does a renewal prove a new key', async t => {
  const { api, host, agent } = await begin(t)
  const asked = await call(api, agent, 'POST', pathOf(agent, 'renewal-challenge'))
  const challenge = asked.json as never
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge, { subject: agent.tpmKey })
  const { csr, evidence } = body as { csr: string; evidence: Record<string, unknown> }
  const path = pathOf(agent, 'credentials')
  const renewed = await call(api, agent, 'POST', path, { csr, renewal: evidence })
  assertProblem(t, renewed, 403, 'certify-binding')
  const renewal = await renewalBody(api, agent)
  const proven = { csr: renewal.csr, evidence: renewal.renewal }
  assertProblem(t, await call(api, host, 'POST', path, proven), 404, 'challenge-unknown')
})

test('a challenge that was answered in vain is over', async t => {
  const { api, agent, host } = await begin(t)
  const wrong = await renewalBody(api, agent, { edit: { nonce: new Uint8Array(32) } })
  const path = pathOf(agent, 'credentials')
  assertProblem(t, await call(api, agent, 'POST', path, wrong), 403, 'certify-binding')
  assertProblem(t, await call(api, agent, 'POST', path, wrong), 409, 'challenge-used')
  t.is((await renew(api, agent)).status, 201)
  t.is((await renew(api, host)).status, 201)
})

test('a key whose proof is older than the policy admits renews no more; one that was proven since does', async t => {
  const { api, agent, host } = await begin(t)
  api.clock.advance(29 * 86_400_000)
  await enrollHost(api, host.tpm.manufacturer, { tpm: host.tpm })
  t.is((await renew(api, await refreshed(api, agent))).status, 201)
  api.clock.advance(86_400_000)
  const again = await enrollHost(api, host.tpm.manufacturer, { tpm: host.tpm })
  const late = await refreshed(api, agent)
  assertProblem(t, await renew(api, late), 403, 'key-proof-expired')
  const asked = await call(api, again, 'POST', `/v1/agents/${agent.id}/challenge`)
  const { body } = agentEvidenceBody(host.tpm, agent.id, asked.json as never, {
    subject: agent.tpmKey,
  })
  t.is((await call(api, again, 'POST', pathOf(agent, 'credentials'), body)).status, 201)
  t.is((await renew(api, await refreshed(api, agent))).status, 201)
})

test('a key of which nobody knows when it was proven renews nothing', async t => {
  const { api, agent } = await begin(t)
  const { clients } = api.service.store
  const findByKey = clients.findByKey.bind(clients)
  api.clock.advance(3_000)
  clients.findByKey = async jkt => {
    const client = await findByKey(jkt)
    return client && { ...client, key: { ...client.key, provenAt: null } }
  }
  assertProblem(t, await renew(api, agent), 403, 'key-proof-expired')
  clients.findByKey = findByKey
  api.clock.advance(3_000)
  t.is((await renew(api, agent)).status, 201)
})

test('after a restart nothing is renewed, issued or rekeyed before the host has attested anew', async t => {
  const { api, agent, host } = await begin(t)
  const other = await createAgent(api, host, 'reader', ownApi)
  const clock = host.tpm.clockInfo
  host.tpm.reset()
  assertProblem(t, await renew(api, agent), 403, 'attestation-outdated')
  // Whoever shows the counters of before does not undo what was seen.
  const booted = host.tpm.clockInfo
  host.tpm.clockInfo = clock
  for (const holder of [agent, other, host])
    assertProblem(t, await renew(api, holder), 403, 'attestation-outdated')
  const asked = await call(api, host, 'POST', `/v1/agents/${other.id}/challenge`)
  const { body } = agentEvidenceBody(host.tpm, other.id, asked.json as never)
  const rekeyed = await call(api, host, 'POST', pathOf(other, 'credentials'), body)
  assertProblem(t, rekeyed, 403, 'attestation-outdated')
  host.tpm.clockInfo = booted
  await enrollHost(api, host.tpm.manufacturer, { tpm: host.tpm })
  t.is((await renew(api, agent)).status, 201)
  const seen = (await verifyTestLog(api.service)).filter(({ type }) => type === 'host.restart-seen')
  t.is(seen.length, 1)
  t.like(seen[0], {
    subject: host.clientId,
    detail: {
      expected: 'resetCount 7, restartCount 0, firmware 2019102300163636',
      found: 'resetCount 8, restartCount 0, firmware 2019102300163636',
    },
  })
})

test('a restart without a reset counts as well, and a TPM that goes back is told as that', async t => {
  for (const change of [{ restartCount: 1 }, { resetCount: 6 }, { clock: 1n }]) {
    const { api, agent, host } = await begin(t)
    host.tpm.clockInfo = { ...host.tpm.clockInfo, ...change }
    assertProblem(t, await renew(api, agent), 403, 'attestation-outdated')
    const seen = (await verifyTestLog(api.service)).find(({ type }) => type === 'host.restart-seen')
    t.is('rollback' in (seen?.detail ?? {}), !('restartCount' in change))
  }
})

test('a proof that was asked for before the host attested again is not compared with what it attested', async t => {
  const { api, agent, host } = await begin(t)
  const body = await renewalBody(api, agent)
  await enrollHost(api, host.tpm.manufacturer, { tpm: host.tpm })
  const answer = await call(api, agent, 'POST', pathOf(agent, 'credentials'), body)
  assertProblem(t, answer, 409, 'attestation-superseded')
  t.is((await renew(api, agent)).status, 201)
})

test('whoever replaces the same certificate again gets the same answer', async t => {
  const { api, agent } = await begin(t)
  const replaces = certificateIdOf(agent.issued)
  const first = await renew(api, agent, { replaces })
  t.is(first.status, 201, first.text)
  const again = await renew(api, agent, { replaces })
  t.is(again.status, 201)
  t.deepEqual(again.json, first.json)
  const next = await renew(api, agent, { replaces: certificateIdOf(first) })
  t.not(serialOf(next), serialOf(first))
  const unnamed = await renew(api, agent)
  t.false([serialOf(first), serialOf(next)].includes(serialOf(unnamed)))
})

test('the same answer is given without taking a challenge, and for as long as it is good', async t => {
  const { api, agent } = await begin(t)
  const replaces = certificateIdOf(agent.issued)
  const first = await renew(api, agent, { replaces })
  const path = pathOf(agent, 'credentials')
  const body = await renewalBody(api, agent, { replaces })
  t.deepEqual((await call(api, agent, 'POST', path, body)).json, first.json)
  const { replaces: _named, ...unnamed } = body.renewal
  const other = await call(api, agent, 'POST', path, { ...body, renewal: unnamed })
  t.is(other.status, 201, other.text)
  t.not(serialOf(other), serialOf(first))
  api.clock.advance(3_700_000)
  const later = await renew(api, await refreshed(api, agent), { replaces })
  t.is(later.status, 201, later.text)
  t.not(serialOf(later), serialOf(first))
})

test('an answer that was revoked is not given again', async t => {
  const { api, agent, operator } = await begin(t)
  const replaces = certificateIdOf(agent.issued)
  const first = await renew(api, agent, { replaces })
  const path = `/v1/certificates/${serialOf(first)}/revoke`
  t.is((await call(api, operator, 'POST', path, { reason: 'a test' })).status, 200)
  const next = await renew(api, agent, { replaces })
  t.is(next.status, 201, next.text)
  t.not(serialOf(next), serialOf(first))
  t.is((await renew(api, agent, { replaces: certificateIdOf(first) })).status, 201)
  const stolen = { reason: 'stolen', reasonCode: 'keyCompromise' }
  await call(api, operator, 'POST', `/v1/certificates/${serialOf(next)}/revoke`, stolen)
  const gone = await renew(api, agent, { replaces: certificateIdOf(next) })
  assertProblem(t, gone, 403, 'renewal-certificate-revoked')
})

test('a certificate of somebody else, of another key or of another issuer is not replaced', async t => {
  const { api, agent, host } = await begin(t)
  const other = await createAgent(api, host, 'reader', ownApi)
  const [, serial] = certificateIdOf(agent.issued).split('.')
  for (const replaces of [
    certificateIdOf(other.issued),
    certificateIdOf(host.enrolled),
    `${encodeBase64url(new Uint8Array(20))}.${serial}`,
    `${certificateIdOf(agent.issued)}AA`,
  ])
    assertProblem(t, await renew(api, agent, { replaces }), 404, 'renewal-certificate-unknown')
  const malformed = await renew(api, agent, { replaces: 'no identifier' })
  assertProblem(t, malformed, 400, 'certificate-id-malformed')
  t.is((await renew(api, agent, { replaces: certificateIdOf(agent.issued) })).status, 201)
})
