import test from 'ava'
import { activationType } from '../../src/core/appraisal/policy-activation.ts'
import { AuthorizationDirectory } from '../../src/services/authorization-directory.ts'
import { activateSet, establishSet, proposeSet } from '../support/authorization-activation.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import { starterPolicies, testSchema } from '../support/test-policies.ts'
import { ask, begin, sets, withStarter } from './authorization-stage.ts'

test('an operator does what policies let it, asked again with each call', async t => {
  const api = await startTestApi(t)
  const [operator, other] = [await createOperator(api), await createOperator(api)]
  t.is((await call(api, other, 'GET', '/v1/hosts')).status, 200)
  const forbid = `@id("not-her") forbid (principal == Operator::"${other.id}", action == Action::"actAsOperator", resource);`
  await establishSet(api, operator, withStarter(forbid))
  const denied = await call(api, other, 'GET', '/v1/hosts')
  t.is(denied.status, 403)
  t.like(denied.json, { code: 'authorization-denied', found: 'not-her' })
  t.is((await call(api, operator, 'GET', '/v1/hosts')).status, 200)
})

test('a set under which its operator could activate no other is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  for (const policies of [
    '',
    '@id("a") permit (principal is Agent, action, resource);',
    starterPolicies.replace('@id("operators-act")', '@id("operators-act") @scopes("hosts:read")'),
    starterPolicies.replace(
      '@id("operators-tokens")',
      '@id("operators-tokens") @scopes("hosts:read")',
    ),
  ]) {
    const { version, id } = await proposeSet(api, operator, policies)
    const answer = await activateSet(api, operator, { policy: id, version, replaces: 1 })
    t.is(answer.status, 409)
    t.like(answer.json, { code: 'authorization-lockout' })
  }
  t.is((await call(api, operator, 'GET', sets)).json['active'], 1)
})

test('refuses an activation that is of another kind, key or version; of a hundred one counts', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { version, id } = await proposeSet(api, operator, starterPolicies)
  const claims = { policy: id, version, replaces: 1 }
  const codes = [
    [await activateSet(api, operator, claims, { typ: activationType }), 'activation-malformed'],
    [await activateSet(api, operator, claims, { by: createTestKey() }), 'activation-signature'],
    [await activateSet(api, operator, { ...claims, replaces: 2 }), 'activation-mismatch'],
    [await activateSet(api, operator, { ...claims, version: 9 }), 'policy-unknown'],
  ] as const
  for (const [answer, code] of codes) t.like(answer.json, { code })
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => await activateSet(api, operator, claims)),
  )
  t.is(answers.filter(({ status }) => status === 200).length, 1)
  const log = await verifyTestLog(api.service)
  const activated = log.filter(({ type }) => type === 'authorization.activated')
  t.like(activated.at(-1), {
    actor: operator.clientId,
    detail: { policy: id, schema: testSchema.id },
  })
})

test('a set that does not hold is refused by the policy that is wrong, and never kept', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const read =
    '@id("bad") forbid (principal is Host, action, resource) when { principal.secureBoot };'
  const answer = await call(api, operator, 'POST', sets, { policies: withStarter(read) })
  t.is(answer.status, 400)
  t.like(answer.json, { code: 'authorization-optional', found: 'bad: principal.secureBoot' })
  t.is(((await call(api, operator, 'GET', sets)).json['policies'] as unknown[]).length, 1)
  const auditor = await createOperator(api, 'auditor')
  t.like((await call(api, auditor, 'POST', sets, { policies: '' })).json, { code: 'token-scope' })
})

test('what cannot be evaluated denies, is an alarm in the log of both kinds, and is no 500', async t => {
  const fleet = await begin(t)
  const { decider } = await fleet.api.service.authorization.active()
  t.is((await ask(fleet)).status, 200)
  // What no lint lets through: Cedar’s own failure.
  decider.decide = () => ({
    outcome: 'failed',
    policies: [],
    errors: ['bad: overflow'],
    granted: null,
  })
  const answer = await ask(fleet)
  t.is(answer.status, 400)
  t.like(answer.json, { error: 'access_denied', code: 'authorization-failed' })
  const last = (await verifyTestLog(fleet.api.service)).at(-1)
  t.like(last, { type: 'authorization.failed', detail: { errors: ['bad: overflow'] } })
  t.like(fleet.api.reports.at(-1), { level: 'error', facts: { code: 'authorization-failed' } })
})

test('a simulation says who would lose what, over what there is and what was decided', async t => {
  const fleet = await begin(t)
  const { api, operator, host, agent } = fleet
  await ask(fleet, 'write')
  const same = await proposeSet(
    api,
    operator,
    `${starterPolicies}\n@id("idle") permit (principal in AgentClass::"typo", action, resource);`,
  )
  const nothing = await call(api, operator, 'POST', `${sets}/${same.version}/simulate`)
  t.like(nothing.json, { changes: [], hostsThatLose: [], agentsThatLose: [], idle: ['idle'] })
  const strict = await proposeSet(
    api,
    operator,
    withStarter(
      '@id("no-write") forbid (principal is Agent, action == Action::"issueToken", resource) when { context.scopes.contains("write") };',
      '@id("no-certificates") forbid (principal is Host, action == Action::"issueCertificate", resource);',
    ),
  )
  const { json } = await call(api, operator, 'POST', `${sets}/${strict.version}/simulate`)
  t.like(json, { hostsThatLose: [host.id], agentsThatLose: [agent.id] })
  const changes = json['changes'] as { decision: string | null; to: object; scopes: string[] }[]
  t.true(changes.some(({ decision }) => decision === null))
  const logged = changes.find(({ decision, scopes }) => decision !== null && scopes[0] === 'write')
  t.like(logged?.to, { outcome: 'deny', policies: ['no-write'] })
  t.is((await call(api, operator, 'GET', sets)).json['active'], 1)
})

test('the starter set is followed until an operator activates a set of its own', async t => {
  const api = await startTestApi(t)
  const { store, clock } = api.service
  const follow = async (starter: string): Promise<number> => {
    const basis = { store, clock, schema: testSchema, starter }
    return (await new AuthorizationDirectory(basis).followStarter()).activation.version
  }
  t.is(await follow(starterPolicies), 1)
  const changed = starterPolicies.replace('hosts-enrol', 'machines-enrol')
  t.is(await follow(changed), 2)
  t.is(await follow(changed), 2)
  await establishSet(api, await createOperator(api), starterPolicies)
  t.is(await follow(changed), 3)
})
