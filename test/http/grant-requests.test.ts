import test from 'ava'
import { verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import { askForToken, call, createOperator, fetchToken } from '../support/test-caller.ts'
import {
  ask,
  contendFor,
  createGrantStage,
  decide,
  establishPolicies,
  grantAudience,
  openRequest,
  registerClass,
  requestable,
  ticket,
} from '../support/test-grants.ts'
import { createAgent, type TestAgent } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'

test('a denial that can be lifted opens one request, which says exactly what is asked for', async t => {
  const stage = await createGrantStage(t)
  const denied = await ask(stage)
  t.is(denied.status, 400)
  t.like(denied.json, { error: 'access_denied', code: 'authorization-requestable' })
  const id = String(denied.json['grant_request'])
  t.is(await openRequest(stage), id)
  const { json } = await call(stage.api, stage.approver, 'GET', `/v1/grants/${id}`)
  t.like(json, {
    id,
    status: 'pending',
    agent: stage.agent.clientId,
    jkt: stage.agent.key.jkt,
    action: 'issueToken',
    audience: grantAudience,
    audiences: [grantAudience],
    scopes: ['read'],
    details: [ticket],
    initiator: stage.agent.clientId,
    actors: [],
    mayAct: null,
    policies: ['closing'],
    maxMinutes: 30,
    uses: 0,
  })
  const lines = await verifyTestLog(stage.api.service)
  t.is(lines.filter(({ type }) => type === 'grant.requested').length, 1)
  const denials = lines.filter(({ type }) => type === 'authorization.denied')
  t.is(denials.length, 2)
  for (const { detail } of denials) t.is(detail['grantRequest'], id)
  t.is(denials[0]?.detail['decision'], denied.json['decision'])
})

test('what needs no approval opens nothing, and what none would lift neither', async t => {
  const never =
    '@id("never") forbid (principal is Agent, action == Action::"issueToken", resource) when { context.scopes.contains("write") };'
  const stage = await createGrantStage(t, requestable + never)
  t.is((await ask(stage, { authorization_details: '[{"type":"ticket"}]' })).status, 200)
  t.like((await ask(stage, { scope: 'write' })).json, { code: 'authorization-denied' })
  const listed = await call(stage.api, stage.approver, 'GET', '/v1/grants')
  t.deepEqual(listed.json['grants'], [])
  await openRequest(stage)
})

test('whoever answers for an agent does not approve, by whichever of its names', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const third = await createOperator(stage.api)
  const own = await decide(stage, id, 'approve', {}, stage.owner)
  t.is(own.status, 403)
  t.like(own.json, { code: 'grant-own', found: stage.owner.clientId })
  const [approver] = (await stage.api.service.store.operators.list()).filter(
    operator => operator.id === stage.approver.id,
  )
  const names = [approver?.id, approver?.name.toUpperCase(), stage.approver.clientId]
  for (const [at, owner] of names.entries()) {
    await registerClass(stage, `class-${at}`, { owner })
    const agent = await createAgent(stage.api, stage.host, `class-${at}`)
    const asked = await openRequest({ ...stage, agent })
    t.like((await decide(stage, asked, 'approve')).json, { code: 'grant-own' }, owner)
    // Whoever registered the class wrote down whom it belongs to, and counts beside that.
    t.like((await decide(stage, asked, 'approve', {}, stage.owner)).json, { code: 'grant-own' })
    t.is((await decide(stage, asked, 'approve', {}, third)).status, 200)
  }
  t.is((await decide(stage, id, 'deny', {}, stage.owner)).status, 200)
})

test('nobody without the scope decides: no auditor, no agent, and no operator whom policies forbid', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const auditor = await createOperator(stage.api, 'auditor')
  t.like((await decide(stage, id, 'approve', {}, auditor)).json, { code: 'token-scope' })
  t.is((await call(stage.api, auditor, 'GET', `/v1/grants/${id}`)).status, 200)
  const token = String(
    (await askForToken(stage.api, stage.agent.key, { resource: testIssuer })).json['access_token'],
  )
  const agent = { ...stage.agent, token }
  t.like((await decide(stage, id, 'approve', {}, agent)).json, { code: 'token-scope' })
  const forbid = `@id("not-them") forbid (principal == Operator::"${stage.approver.id}", action == Action::"actAsOperator", resource) when { context.scopes.contains("grants:write") };`
  await establishPolicies(stage, requestable, forbid)
  t.like((await decide(stage, id, 'approve')).json, {
    code: 'authorization-denied',
    found: 'not-them',
  })
})

test('an agent sees its own request, and nobody else’s', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const second = await createAgent(stage.api, stage.host, 'closer')
  const see = async ({ key }: TestAgent): Promise<TestAnswer> => {
    const { json } = await askForToken(stage.api, key, { resource: testIssuer })
    const caller = { key, token: String(json['access_token']) }
    return await call(stage.api, caller, 'GET', `/v1/own-grants/${id}`)
  }
  t.like((await see(stage.agent)).json, { id, status: 'pending' })
  t.like((await see(second)).json, { code: 'grant-unknown' })
})

test('where policies say once, nothing else can be approved', async t => {
  const stage = await createGrantStage(t, requestable.replace('("30")', ''))
  const id = await openRequest(stage)
  t.like((await decide(stage, id, 'approve', { minutes: 1 })).json, {
    code: 'grant-minutes',
    expected: 'an approval for once',
  })
  t.is((await decide(stage, id, 'approve')).status, 200)
})

test('a request is decided on once; denied, it is not asked again while its time lasts', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  t.like((await decide(stage, id, 'deny')).json, { status: 'denied', reason: 'ticket 7' })
  t.like((await decide(stage, id, 'approve')).json, { code: 'grant-decided', found: 'denied' })
  const declined = await ask(stage)
  t.like(declined.json, {
    error: 'access_denied',
    code: 'authorization-declined',
    grant_request: id,
  })
  stage.api.clock.advance(3_600_000)
  t.not(await openRequest(stage), id)
})

test('what waited too long is not approved, and what is not there neither', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  stage.api.clock.advance(3_600_000)
  const { api, approver } = stage
  const by = { key: approver.key, token: await fetchToken(api, approver.key) }
  t.like((await call(api, by, 'GET', `/v1/grants/${id}`)).json, { status: 'expired' })
  t.like((await decide(stage, id, 'approve', {}, by)).json, { code: 'grant-expired' })
  for (const word of ['approve', 'deny', 'withdraw'] as const)
    t.like((await decide(stage, 'nothing', word, {}, by)).json, { code: 'grant-unknown' })
  t.like((await decide(stage, id, 'approve', { minutes: 0 }, by)).json, {
    code: 'request-malformed',
  })
  t.like((await decide(stage, id, 'deny', { reason: ' ' }, by)).json, { code: 'request-malformed' })
})

test('of a hundred denials of one request one opens it', async t => {
  const stage = await createGrantStage(t)
  const { answers, counts } = await contendFor(async () => await ask(stage))
  t.deepEqual(counts, { '400 authorization-requestable': 100 })
  t.is(new Set(answers.map(({ json }) => json['grant_request'])).size, 1)
})

test('a request of an agent that was revoked is not approved', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const path = `/v1/hosts/${stage.host.id}/revoke`
  await call(stage.api, stage.owner, 'POST', path, { reason: 'gone' })
  t.like((await decide(stage, id, 'approve')).json, { code: 'grant-decided', found: 'withdrawn' })
})
