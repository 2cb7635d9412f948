import test from 'ava'
import { decodeJwt } from 'jose'
import { Decider } from '../../src/core/authorization/decide.ts'
import { AuthorizationPolicySet } from '../../src/core/authorization/policy-set.ts'
import { decisionsOf, replayDecision } from '../../src/core/authorization/replay.ts'
import { verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import { call, postForm, proofOf } from '../support/test-caller.ts'
import {
  approve,
  ask,
  contendFor,
  createGrantStage,
  decide,
  grantAudience,
  openRequest,
  otherAudience,
  ticket,
  type Form,
} from '../support/test-grants.ts'
import { createAgent } from '../support/test-host.ts'
import { testSchema } from '../support/test-policies.ts'

test('an approval for once gives one token, and the next asks again', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const approved = await decide(stage, id, 'approve')
  t.like(approved.json, { status: 'approved', decidedBy: stage.approver.clientId, minutes: null })
  const token = await ask(stage)
  t.is(token.status, 200)
  t.deepEqual(token.json['authorization_details'], [ticket])
  const again = await ask(stage)
  t.like(again.json, { error: 'access_denied', code: 'authorization-requestable' })
  t.not(again.json['grant_request'], id)
  t.like((await call(stage.api, stage.approver, 'GET', `/v1/grants/${id}`)).json, {
    status: 'used',
    uses: 1,
  })
})

test('the log shows request, approval and use, and every decision is made again from it', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  await approve(stage, id)
  const token = await ask(stage)
  const lines = await verifyTestLog(stage.api.service)
  const approved = lines.find(({ type }) => type === 'grant.approved')
  t.like(approved, {
    actor: stage.approver.clientId,
    subject: id,
    detail: { agentId: stage.agent.id, reason: 'ticket 7', minutes: null },
  })
  const { jti } = decodeJwt(String(token.json['access_token']))
  const issued = lines.find(({ subject }) => subject === jti)
  const [record] = decisionsOf(issued!)
  t.like(record, { grant: id, outcome: 'allow', input: { context: { approved: true } } })
  t.true(lines.indexOf(approved!) < lines.indexOf(issued!))
  const { policies } = (await call(stage.api, stage.owner, 'GET', '/v1/authorization/policies'))
    .json as { policies: { document: string }[] }
  const deciders = policies.map(
    ({ document }, at) => new Decider(AuthorizationPolicySet.prepare(document, at + 1, testSchema)),
  )
  const decided = lines.flatMap(decisionsOf)
  for (const one of decided) t.true(replayDecision(deciders[one.set - 1]!, one).isSame)
  const unapproved = { ...record!.input.context, approved: false }
  t.is(deciders[1]!.decide({ ...record!.input, context: unapproved }).outcome, 'deny')
})

test('an approval is for exactly what was asked: nothing wider, narrower or beside it', async t => {
  const stage = await createGrantStage(t)
  const second = await createAgent(stage.api, stage.host, 'closer')
  await approve(stage, await openRequest(stage), { minutes: 30 })
  const details = (...all: object[]): Form => ({ authorization_details: JSON.stringify(all) })
  const forms: readonly Form[] = [
    { scope: 'read write' },
    { scope: 'write' },
    { resource: otherAudience },
    { may_act: second.clientId },
    details({ type: 'ticket', actions: ['close', 'read'] }),
    details(ticket, { type: 'ticket' }),
  ]
  const four = forms.slice(0, 4)
  for (const form of four)
    t.like(
      (await ask(stage, form)).json,
      { code: 'authorization-requestable' },
      JSON.stringify(form),
    )
  for (const form of forms.slice(4))
    t.like((await ask(stage, form)).json, { code: 'authorization-requests-full' })
  t.like((await ask({ ...stage, agent: second })).json, { code: 'authorization-requestable' })
  const reordered = details({ actions: ['close'], type: 'ticket' })
  t.is((await ask(stage, reordered)).status, 200)
  t.is((await ask(stage)).status, 200)
})

test('of several audiences each is approved for the token that is for all of them', async t => {
  const only =
    '@id("one") @requestable forbid (principal is Agent, action == Action::"issueToken", resource == Audience::"https://api.example/") unless { context.approved };'
  const stage = await createGrantStage(t, only)
  const asked = async (resources: readonly string[]): Promise<TestAnswer> => {
    const wanted = { method: 'POST', path: '/oauth/token' }
    const proof = await proofOf(stage.api, stage.agent.key, wanted)
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' })
    for (const resource of resources) form.append('resource', resource)
    return await postForm(stage.api, '/oauth/token', form.toString(), [['DPoP', proof]])
  }
  const denied = await asked([grantAudience, otherAudience])
  await approve(stage, String(denied.json['grant_request']))
  t.like((await asked([grantAudience])).json, { code: 'authorization-requestable' })
  t.is((await asked([otherAudience])).status, 200)
  t.is((await asked([otherAudience, grantAudience])).status, 200)
  t.like((await asked([grantAudience, otherAudience])).json, { code: 'authorization-requestable' })
})

test('minutes are as many as policies let, and tokens end with the approval', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const long = await decide(stage, id, 'approve', { minutes: 31 })
  t.is(long.status, 400)
  t.like(long.json, { code: 'grant-minutes', expected: 'at most 30 minutes', found: '31' })
  await approve(stage, id, { minutes: 30 })
  t.like((await ask(stage)).json, { expires_in: 300 })
  stage.api.clock.advance(28 * 60_000)
  const late = await ask(stage)
  t.true(Number(late.json['expires_in']) <= 120)
  t.true(Number(late.json['expires_in']) >= 118)
  stage.api.clock.advance(2 * 60_000)
  t.like((await ask(stage)).json, { code: 'authorization-requestable' })
})

test('an approval that is taken back counts no more', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  t.like((await decide(stage, id, 'withdraw')).json, { code: 'grant-decided', found: 'pending' })
  await approve(stage, id, { minutes: 5 })
  t.is((await ask(stage)).status, 200)
  t.like((await decide(stage, id, 'withdraw')).json, { status: 'withdrawn' })
  t.not(await openRequest(stage), id)
})

test('of a hundred operators one decides, and of a hundred redeemers one gets the token', async t => {
  const stage = await createGrantStage(t)
  const id = await openRequest(stage)
  const decided = await contendFor(async () => await decide(stage, id, 'approve'))
  t.deepEqual(decided.counts, { '200': 1, '409 grant-decided': 99 })
  const { counts } = await contendFor(async () => await ask(stage))
  t.is(counts['200'], 1)
  const [over = 0, asked = 0] = ['over', 'requestable'].map(
    word => counts[`400 authorization-${word === 'over' ? 'approval-over' : word}`],
  )
  t.is(over + asked, 99, JSON.stringify(counts))
  const lines = await verifyTestLog(stage.api.service)
  const granted = lines.flatMap(decisionsOf).filter(({ grant }) => grant === id)
  t.is(granted.length, 1)
})

test('an approval falls with the agent, its host, and the operator who gave it', async t => {
  for (const kind of ['agents', 'hosts', 'operators'] as const) {
    const stage = await createGrantStage(t)
    await approve(stage, await openRequest(stage), { minutes: 30 })
    t.is((await ask(stage)).status, 200)
    const id = { agents: stage.agent.id, hosts: stage.host.id, operators: stage.approver.id }[kind]
    const body = { reason: 'gone' }
    t.is((await call(stage.api, stage.owner, 'POST', `/v1/${kind}/${id}/revoke`, body)).status, 200)
    const code = {
      agents: 'agent-revoked',
      hosts: 'host-revoked',
      operators: 'authorization-requestable',
    }
    t.like((await ask(stage)).json, { code: code[kind] })
  }
})
