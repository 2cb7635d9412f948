import test from 'ava'
import { activateSet, establishSet, proposeSet } from '../support/authorization-activation.ts'
import { startTestApi, verifyTestLog } from '../support/test-api.ts'
import { call, createOperator, fetchToken } from '../support/test-caller.ts'
import { starterPolicies } from '../support/test-policies.ts'

const sets = '/v1/authorization/policies'
const policy = (condition: string): string =>
  `${starterPolicies}\n@id("new") permit (principal is Agent, action, resource) when { ${condition} };`
const nested = (levels: number): string => `${'('.repeat(levels)}true${')'.repeat(levels)}`

test('texts that would take the engine down are refused, and the service decides and activates on', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  for (const condition of [
    nested(5_000),
    `${'true && '.repeat(10_000)}true`,
    `${'if true then true else '.repeat(5_000)}true`,
    `true //\r && ${nested(3_000)}`,
    `[${'1,'.repeat(10_000)}1].contains(1)`,
  ]) {
    const refused = await call(api, operator, 'POST', sets, { policies: policy(condition) })
    t.like(refused, { status: 400, json: { code: 'authorization-size' } }, refused.text)
    t.truthy(await fetchToken(api, operator.key))
  }
  t.is(((await call(api, operator, 'GET', sets)).json['policies'] as unknown[]).length, 1)
  const { version, id } = await proposeSet(api, operator, policy(nested(40)))
  const activated = await activateSet(api, operator, { policy: id, version, replaces: 1 })
  t.is(activated.status, 200, activated.text)
  t.truthy(await fetchToken(api, operator.key))
})

test('a set of a thousand flat policies is put into force', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const many = Array.from({ length: 1_000 }, (_, n) => {
    const condition = `context.scopes.contains("s${n}")`
    return `@id("p${n}") forbid (principal is Agent, action, resource) when { ${condition} };`
  })
  const { version } = await establishSet(api, operator, [starterPolicies, ...many].join('\n'))
  t.is((await call(api, operator, 'GET', sets)).json['active'], version)
  t.truthy(await fetchToken(api, operator.key))
  const types = (await verifyTestLog(api.service)).map(({ type }) => type)
  t.is(types.filter(type => type === 'authorization.activated').length, 2)
})
