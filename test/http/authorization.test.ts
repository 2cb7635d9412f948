import test from 'ava'
import { Decider } from '../../src/core/authorization/decide.ts'
import { AuthorizationPolicySet } from '../../src/core/authorization/policy-set.ts'
import { decisionsOf, replayDecision } from '../../src/core/authorization/replay.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { startTestApi, verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  createAgent,
  enrollHost,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'
import { testSchema } from '../support/test-policies.ts'
import { ask, begin, sets, withStarter } from './authorization-stage.ts'

test('a service begins with the starter set, and every decision stands in the entry of its act', async t => {
  const fleet = await begin(t)
  t.is((await ask(fleet)).status, 200)
  const { json } = await call(fleet.api, fleet.operator, 'GET', sets)
  t.like(json, { active: 1, activations: [{ version: 1, by: 'service', jws: null }] })
  const [first] = json['policies'] as { document: string; id: string }[]
  const decider = new Decider(AuthorizationPolicySet.prepare(first?.document ?? '', 1, testSchema))
  const log = await verifyTestLog(fleet.api.service)
  const decided = log.flatMap(line => decisionsOf(line).map(record => [line.type, record] as const))
  const types = new Set(decided.map(([type]) => type))
  for (const type of [
    'host.enrolled',
    'certificate.intended',
    'token.issued',
    'operator.authorized',
  ])
    t.true(types.has(type), type)
  for (const [type, record] of decided) t.true(replayDecision(decider, record).isSame, type)
  const last = decided.at(-1)?.[1]
  t.like(last?.input.principal, {
    kind: 'agent',
    class: { owner: 'alice', sensitivity: 'confidential' },
  })
  t.false(replayDecision(decider, { ...last!, policies: ['other'] }).isSame)
  const forged = { ...last!.input, audience: 'https://other.example' }
  t.false(replayDecision(decider, { ...last!, input: forged }).isSame)
})

test('what no policy permits is denied, told as such, and stands in the log', async t => {
  const fleet = await begin(t)
  const forbid =
    '@id("no-write") forbid (principal is Agent, action, resource) when { context.scopes.contains("write") };'
  await establishSet(fleet.api, fleet.operator, withStarter(forbid))
  t.is((await ask(fleet, 'read')).status, 200)
  const denied = await ask(fleet)
  t.is(denied.status, 400)
  t.like(denied.json, { error: 'access_denied', code: 'authorization-denied' })
  const lines = await verifyTestLog(fleet.api.service)
  t.like(lines.at(-1), {
    type: 'authorization.denied',
    actor: fleet.agent.clientId,
    detail: { set: 2, outcome: 'deny', policies: ['no-write'] },
  })
})

test('a permit narrows scopes and lifetime of what is granted, and widens nothing', async t => {
  const fleet = await begin(t)
  const narrow =
    '@id("short") @maxLifetimeSeconds("45") @scopes("read admin") permit (principal is Agent, action, resource);'
  await establishSet(fleet.api, fleet.operator, withStarter(narrow))
  const granted = await ask(fleet)
  t.like(granted.json, { expires_in: 45, scope: 'read' })
  t.is((await ask(fleet, 'write')).json['error'], 'access_denied')
  t.is((await ask(fleet, 'admin')).json['error'], 'invalid_scope')
})

test('a certificate lives no longer than a permit lets it', async t => {
  const fleet = await begin(t)
  const narrow =
    '@id("short") @maxLifetimeSeconds("600") permit (principal, action == Action::"issueCertificate", resource);'
  await establishSet(fleet.api, fleet.operator, withStarter(narrow))
  const { issued } = await createAgent(fleet.api, fleet.host, 'reader')
  const lifetime = Number(issued.json['notAfter']) - fleet.api.clock.now()
  t.true(lifetime <= 600_000 && lifetime > 590_000, String(lifetime))
})

test('a host that no policy lets in is refused after its Evidence was accepted, and is none', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const forbid =
    '@id("named") forbid (principal is Host, action == Action::"enrol", resource) when { principal.name like "bad-*" };'
  await establishSet(api, operator, withStarter(forbid))
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm, 'bad-1')
  const answer = await postJson(
    api,
    `/v1/enrollments/${challenge.id}/evidence`,
    evidenceBody(tpm, challenge).body,
  )
  t.is(answer.status, 403)
  t.like(answer.json, { code: 'authorization-denied', found: 'named', policies: ['named'] })
  t.deepEqual(await api.service.store.hosts.list(), [])
  const lines = await verifyTestLog(api.service)
  t.deepEqual(
    lines.slice(-2).map(({ type }) => type),
    ['authorization.denied', 'enrollment.refused'],
  )
  t.truthy(await enrollHost(api, manufacturer, { name: 'good-1', tpm }))
})

test('labels and risk scores count at once, and a score only in its time', async t => {
  const fleet = await begin(t)
  const { api, operator, host, agent } = fleet
  await establishSet(
    api,
    operator,
    withStarter(
      '@id("quarantine") forbid (principal is Agent, action, resource) when { principal.host.labels.contains("quarantine") };',
      '@id("risk") forbid (principal, action == Action::"issueToken", resource) when { principal.riskScore >= 70 };',
    ),
  )
  const label = async (labels: string[]): Promise<TestAnswer> =>
    await call(api, operator, 'POST', `/v1/hosts/${host.id}/labels`, { labels })
  t.is((await ask(fleet)).status, 200)
  t.like((await label(['quarantine', 'eu'])).json, {
    hostId: host.id,
    labels: ['eu', 'quarantine'],
  })
  t.like((await ask(fleet)).json, { error: 'access_denied' })
  t.like((await call(api, operator, 'GET', '/v1/host-labels')).json, {
    labels: [{ hostId: host.id }],
  })
  await label([])
  t.is((await ask(fleet)).status, 200)
  const risk = { reason: 'odd requests', expiresInSeconds: 60 }
  for (const [kind, subjectId] of [
    ['agent', agent.id],
    ['host', host.id],
    ['class', 'reader'],
  ] as const) {
    const set = await call(api, operator, 'POST', '/v1/risk', {
      kind,
      subjectId,
      score: 70,
      ...risk,
    })
    t.like(set.json, { kind, subjectId, setBy: operator.clientId })
    t.like((await ask(fleet)).json, { error: 'access_denied' }, kind)
    t.is(((await call(api, operator, 'GET', '/v1/risk')).json['risks'] as unknown[]).length, 1)
    await call(api, operator, 'POST', '/v1/risk/clear', { kind, subjectId })
    t.is((await ask(fleet)).status, 200, kind)
  }
  const agentRisk = { kind: 'agent', subjectId: agent.id, score: 100, ...risk }
  await call(api, operator, 'POST', '/v1/risk', agentRisk)
  t.like((await ask(fleet)).json, { error: 'access_denied' })
  api.clock.advance(60_000)
  t.is((await ask(fleet)).status, 200)
  t.deepEqual((await call(api, operator, 'GET', '/v1/risk')).json['risks'], [])
})

test('a mark of nobody is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const risk = { subjectId: 'nobody', score: 1, reason: 'x', expiresInSeconds: 1 }
  for (const kind of ['host', 'agent', 'class', 'operator'])
    t.like((await call(api, operator, 'POST', '/v1/risk', { kind, ...risk })).json, {
      code: `${kind}-unknown`,
    })
  t.like((await call(api, operator, 'POST', '/v1/hosts/nobody/labels', { labels: [] })).json, {
    code: 'host-unknown',
  })
  const clearing = { kind: 'host', subjectId: 'nobody' }
  const cleared = await call(api, operator, 'POST', '/v1/risk/clear', clearing)
  t.is(cleared.status, 404)
  t.like(cleared.json, { code: 'risk-unknown' })
  for (const body of [
    { kind: 'host', ...risk, score: 0 },
    { kind: 'host', ...risk, score: 0.5 },
    { kind: 'planet', ...risk },
  ])
    t.like((await call(api, operator, 'POST', '/v1/risk', body)).json, {
      code: 'request-malformed',
    })
})
