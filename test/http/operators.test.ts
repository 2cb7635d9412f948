import test, { type ExecutionContext } from 'ava'
import { assertProblem } from '../support/assert-problem.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from '../support/test-caller.ts'

interface Prepared {
  readonly api: TestApi
  readonly operator: TestCaller & { readonly id: string }
}

async function begin(t: ExecutionContext): Promise<Prepared> {
  const api = await startTestApi(t)
  return { api, operator: await createOperator(api) }
}

test('an operator registers another by its public key, who then acts under its own name', async t => {
  const { api, operator } = await begin(t)
  const key = createTestKey()
  const ada = { name: 'ada', role: 'auditor', keyProtection: 'pkcs11', jwk: key.jwk }
  const answer = await call(api, operator, 'POST', '/v1/operators', ada)
  t.like(answer, {
    status: 201,
    json: { name: 'ada', role: 'auditor', status: 'active', jkt: key.jkt },
  })
  t.is(answer.json['createdBy'], operator.clientId)
  const token = await fetchToken(api, key)
  const listed = (await call(api, { key, token }, 'GET', '/v1/operators')).json['operators']
  t.deepEqual(
    (listed as { name: string; keyProtection: string }[]).map(row => row.keyProtection).toSorted(),
    ['file', 'pkcs11'],
  )
  const line = (await verifyTestLog(api.service)).findLast(
    row => row.type === 'operator.registered',
  )
  t.like(line, { actor: operator.clientId, detail: { name: 'ada', role: 'auditor', jkt: key.jkt } })
})

test('a key that is off its curve, private, or somebody’s already is not registered', async t => {
  const { api, operator } = await begin(t)
  const { jwk } = createTestKey()
  const ask = async (of: object): Promise<TestAnswer> =>
    await call(api, operator, 'POST', '/v1/operators', {
      name: 'ada',
      role: 'auditor',
      keyProtection: 'file',
      jwk: of,
    })
  assertProblem(t, await ask({ ...jwk, y: createTestKey().jwk.y }), 400, 'jwk-malformed')
  assertProblem(t, await ask({ ...jwk, d: jwk.x }), 400, 'request-malformed')
  assertProblem(t, await ask({ ...jwk, crv: 'P-521' }), 400, 'request-malformed')
  assertProblem(t, await ask(operator.key.jwk), 409, 'key-in-use')
  t.is((await ask(jwk)).status, 201)
  assertProblem(t, await ask(jwk), 409, 'key-in-use')
})

test('a revoked operator’s key is nobody’s any more', async t => {
  const { api, operator } = await begin(t)
  const other = await createOperator(api, 'auditor')
  const path = `/v1/operators/${other.id}/revoke`
  const answer = await call(api, operator, 'POST', path, { reason: 'left' })
  t.like(answer, { status: 200, json: { id: other.id, status: 'revoked' } })
  const again = { name: 'again', role: 'administrator', keyProtection: 'file', jwk: other.key.jwk }
  assertProblem(t, await call(api, operator, 'POST', '/v1/operators', again), 409, 'key-in-use')
  const nobody = await call(api, operator, 'POST', '/v1/operators/nobody/revoke', { reason: 'x' })
  assertProblem(t, nobody, 404, 'operator-unknown')
  for (const reason of ['', 'x'.repeat(201), 5, undefined])
    assertProblem(t, await call(api, operator, 'POST', path, { reason }), 400, 'request-malformed')
  const line = (await verifyTestLog(api.service)).findLast(row => row.type === 'operator.revoked')
  t.like(line, { actor: operator.clientId, subject: other.id, detail: { reason: 'left' } })
})

test('a class is registered once, with its default lifetime, and listed', async t => {
  const { api, operator } = await begin(t)
  const reader = {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
  }
  const answer = await call(api, operator, 'POST', '/v1/classes', reader)
  t.like(answer, { status: 201, json: { ...reader, tokenLifetimeSeconds: 300 } })
  assertProblem(t, await call(api, operator, 'POST', '/v1/classes', reader), 409, 'class-exists')
  const { json } = await call(api, operator, 'GET', '/v1/classes')
  t.like(json, { classes: [{ name: 'reader', createdBy: operator.clientId }] })
  const line = (await verifyTestLog(api.service)).findLast(row => row.type === 'class.registered')
  t.like(line, { actor: operator.clientId, subject: 'reader', detail: { scopes: ['read'] } })
})

test('what there is not yet is an empty list, and one of them is 404', async t => {
  const { api, operator } = await begin(t)
  for (const name of ['hosts', 'agents', 'classes', 'anchors'])
    t.deepEqual((await call(api, operator, 'GET', `/v1/${name}`)).json, { [name]: [] })
  assertProblem(t, await call(api, operator, 'GET', '/v1/hosts/nobody'), 404, 'host-unknown')
})
