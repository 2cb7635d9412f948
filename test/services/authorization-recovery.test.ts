import test from 'ava'
import { AuthorizationDirectory } from '../../src/services/authorization-directory.ts'
import { recoverAuthorization } from '../../src/services/authorization-recovery.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { startTestApi, verifyTestLog } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import { starterPolicies, testSchema } from '../support/test-policies.ts'

const shipped = { text: starterPolicies, schema: testSchema }
/** Activated by an operator whom it let in then, and who has a risk score now. */
const lockout = `${starterPolicies}
@id("no-risk") forbid (principal is Operator, action, resource) when { principal.riskScore > 50 };`

test('policies that let no operator in are replaced by the shipped ones, with who did it and why in the log', async t => {
  const api = await startTestApi(t)
  const { service, clock } = api
  const operator = await createOperator(api)
  await establishSet(api, operator, lockout)
  const mark = { kind: 'operator', subjectId: operator.id, score: 90, reason: 'a trial' }
  const set = await call(api, operator, 'POST', '/v1/risk', { ...mark, expiresInSeconds: 86_400 })
  t.true(set.status < 300, set.text)
  clock.advance(3_000)
  t.is((await call(api, operator, 'GET', '/v1/authorization/policies')).status, 403)
  const recovered = await recoverAuthorization(service, shipped, 'nobody gets in')
  t.like(recovered, { version: 3, replaces: 2 })
  // What another process did counts after two seconds.
  clock.advance(3_000)
  const { status, json } = await call(api, operator, 'GET', '/v1/authorization/policies')
  t.is(status, 200)
  const activations = json['activations'] as object[]
  t.like(json, { active: 3 })
  t.like(activations.at(-1), { version: 3, by: 'local-console', jws: null })
  const entries = await verifyTestLog(service)
  for (const type of ['authorization.proposed', 'authorization.activated']) {
    const entry = entries.findLast(one => one.type === type)
    t.like(entry, { actor: 'local-console', subject: 'authorization/3' })
    t.like(entry?.detail, { from: 'recovery', reason: 'nobody gets in', policy: recovered.id })
  }
})

test('what was recovered is not replaced by the starter set of the data directory', async t => {
  const { service } = await startTestApi(t)
  await service.authorization.followStarter()
  const { version } = await recoverAuthorization(service, shipped, 'a trial')
  const { store, clock } = service
  const other = starterPolicies.replace('hosts-enrol', 'machines-enrol')
  const basis = { store, clock, schema: testSchema, starter: other }
  const { activation } = await new AuthorizationDirectory(basis).followStarter()
  t.like(activation, { version, by: 'local-console' })
})

test('a service without any policies begins with the recovered ones', async t => {
  const { service } = await startTestApi(t)
  t.like(await recoverAuthorization(service, shipped, 'a trial'), { version: 1, replaces: null })
})

test('of two recoveries at once each is whole: one counts, the other is a conflict or comes after it', async t => {
  const { service } = await startTestApi(t)
  await service.authorization.followStarter()
  const attempts = Array.from({ length: 10 }, async () =>
    recoverAuthorization(service, shipped, 'a trial'),
  )
  const done = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled')
  t.true(done.length > 0)
  const activations = await service.store.authorizationPolicies.listActivations()
  t.is(activations.length, 1 + done.length)
  t.deepEqual(
    activations.map(({ sequence }) => sequence),
    activations.map((_activation, index) => index + 1),
  )
})
