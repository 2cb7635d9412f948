import test from 'ava'
import { decodeJwt } from 'jose'
import { decisionsOf } from '../../src/core/authorization/replay.ts'
import { proposeSet } from '../support/authorization-activation.ts'
import { verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import { askForToken, call, fetchToken } from '../support/test-caller.ts'
import {
  approve,
  ask,
  createGrantStage,
  establishPolicies,
  grantAudience,
  openRequest,
  requestable,
} from '../support/test-grants.ts'
import { agentEvidenceBody, createAgent, testKeyOf, type TestAgent } from '../support/test-host.ts'
import { starterPolicies } from '../support/test-policies.ts'

test('an approval is decided anew under the policies of the moment', async t => {
  const stage = await createGrantStage(t)
  const establish = async (policies: string): Promise<void> =>
    await establishPolicies(stage, policies)
  await approve(stage, await openRequest(stage), { minutes: 30 })
  t.is((await ask(stage)).status, 200)
  await establish(
    '@id("no") forbid (principal is Agent, action == Action::"issueToken", resource);',
  )
  t.like((await ask(stage)).json, { code: 'authorization-denied' })
  await establish(requestable.replace('30', '1'))
  stage.api.clock.advance(61_000)
  t.like((await ask(stage)).json, { code: 'authorization-approval-over' })
  await establish(requestable)
  t.is((await ask(stage)).status, 200)
  await establish('')
  const plain = await ask(stage)
  t.is(plain.status, 200)
  const { jti } = decodeJwt(String(plain.json['access_token']))
  const issued = (await verifyTestLog(stage.api.service)).find(({ subject }) => subject === jti)
  t.like(decisionsOf(issued!)[0], { input: { context: { approved: false } } })
})

test('a simulation counts no approval, and says what could be approved under another set', async t => {
  const stage = await createGrantStage(t)
  await approve(stage, await openRequest(stage), { minutes: 30 })
  t.is((await ask(stage)).status, 200)
  const { api, owner } = stage
  const simulate = async (text: string): Promise<Record<string, unknown>[]> => {
    const { version } = await proposeSet(api, owner, text)
    const path = `/v1/authorization/policies/${version}/simulate`
    const { json } = await call(api, owner, 'POST', path)
    const changes = json['changes'] as { decision: string | null }[]
    return changes.filter(({ decision }) => decision !== null)
  }
  t.deepEqual(await simulate([starterPolicies, requestable].join('\n')), [])
  const [opened, ...others] = await simulate(starterPolicies)
  t.deepEqual(others, [])
  t.like(opened, {
    id: stage.agent.id,
    from: { outcome: 'deny', policies: ['closing'], requestable: true, granted: null },
    to: { outcome: 'allow', requestable: false },
  })
  const never = requestable
    .replace('@requestable("30")', '')
    .replace('unless { context.approved }', '')
  const [closed] = await simulate([starterPolicies, never].join('\n'))
  t.like(closed, { from: { requestable: true }, to: { outcome: 'deny', requestable: false } })
})

test('an exchange is approved for whom it acts and through whom, and for nobody else', async t => {
  const hop =
    '@id("hop") @requestable("30") forbid (principal is Agent, action == Action::"exchangeToken", resource) unless { context.approved };'
  const stage = await createGrantStage(t, hop)
  const { api, host, agent: actor } = stage
  const [first, second] = [
    await createAgent(api, host, 'closer'),
    await createAgent(api, host, 'closer'),
  ]
  const exchange = async ({ key }: TestAgent): Promise<TestAnswer> => {
    const form = { resource: grantAudience, scope: 'read', may_act: actor.clientId }
    return await askForToken(api, actor.key, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: await fetchToken(api, key, form),
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
  }
  const denied = await exchange(first)
  const id = String(denied.json['grant_request'])
  t.like((await call(api, stage.approver, 'GET', `/v1/grants/${id}`)).json, {
    action: 'exchangeToken',
    initiator: first.clientId,
    actors: [actor.clientId],
  })
  await approve(stage, id, { minutes: 5 })
  t.like((await exchange(second)).json, { code: 'authorization-requestable' })
  t.is((await exchange(first)).status, 200)
})

test('an approval is for the key that asked: proven anew, the agent asks anew', async t => {
  const stage = await createGrantStage(t)
  const { api, agent, host } = stage
  await approve(stage, await openRequest(stage), { minutes: 30 })
  const { json } = await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)
  const { body, key } = agentEvidenceBody(host.tpm, agent.id, json as never)
  await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
  t.like((await ask(stage)).json, { code: 'key-superseded' })
  const rekeyed = { ...stage, agent: { ...agent, key: testKeyOf(key) } }
  t.like((await ask(rekeyed)).json, { code: 'authorization-requestable' })
})

test('where the record of the token fails, the approval is not used up', async t => {
  const stage = await createGrantStage(t)
  await approve(stage, await openRequest(stage))
  const { clients } = stage.api.service.store
  const act = clients.act.bind(clients)
  clients.act = async action =>
    action.approvals?.length === 1 ? 'attestation-expired' : await act(action)
  t.like((await ask(stage)).json, { code: 'attestation-expired' })
  clients.act = act
  t.is((await ask(stage)).status, 200)
})
