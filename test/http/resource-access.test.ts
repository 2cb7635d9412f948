import test, { type ExecutionContext } from 'ava'
import { compactJws, createTestKey } from '../support/compact-jws.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  call,
  createOperator,
  fetchToken,
  proofOf,
  type ProofChanges,
  type TestCaller,
} from '../support/test-caller.ts'
import { testIssuer } from '../support/test-service.ts'

const path = '/v1/hosts'
type Headers = readonly (readonly [string, string])[]

function assertRefused(
  t: ExecutionContext,
  answer: TestAnswer,
  status: number,
  code: string,
): void {
  t.is(answer.json['code'], code, answer.text)
  t.is(answer.status, status)
  t.is(answer.type, 'application/problem+json')
  if (status === 401) t.regex(String(answer.headers['www-authenticate']), /^DPoP error="invalid_/)
}

async function get(api: TestApi, headers: Headers): Promise<TestAnswer> {
  return await api.send({ method: 'GET', path, headers })
}

async function headersOf(
  api: TestApi,
  { key, token }: Pick<TestCaller, 'key' | 'token'>,
  changes: ProofChanges = {},
): Promise<Headers> {
  return [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', await proofOf(api, key, { method: 'GET', path, token }, changes)],
  ]
}

test('a token with a proof by its key for this request is let in', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  t.is((await call(api, operator, 'GET', path)).status, 200)
})

test('a request without a token, or with something else, is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  assertRefused(t, await get(api, []), 401, 'token-malformed')
  const [, proof] = await headersOf(api, operator)
  if (proof === undefined) throw new TypeError('a proof')
  for (const authorization of [
    '',
    'DPoP',
    'DPoP  x',
    'Basic YTpi',
    `DPoP ${operator.token} x`,
    operator.token,
  ])
    assertRefused(
      t,
      await get(api, [['Authorization', authorization], proof]),
      401,
      'token-malformed',
    )
})

test('a token that nobody here signed, or that is not an access token, is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const payload = JSON.parse(
    Buffer.from(operator.token.split('.')[1] ?? '', 'base64url').toString(),
  ) as object
  const { kid } = api.service.tokenKeys.current
  const forged = compactJws({ alg: 'ES256', typ: 'at+jwt', kid }, payload, operator.key)
  const self = compactJws(
    { alg: 'ES256', typ: 'at+jwt', kid: operator.key.jkt },
    payload,
    operator.key,
  )
  for (const [token, code] of [
    [forged, 'token-signature'],
    [self, 'token-unknown-key'],
    ['x.y.z', 'token-malformed'],
  ] as const)
    assertRefused(t, await get(api, await headersOf(api, { ...operator, token })), 401, code)
})

test('a stolen token is of no use: without proof, as a bearer token, or with another key', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { token } = operator
  assertRefused(t, await get(api, [['Authorization', `DPoP ${token}`]]), 401, 'dpop-missing')
  assertRefused(t, await get(api, [['Authorization', `Bearer ${token}`]]), 401, 'token-unbound')
  const thief = { token, key: createTestKey() }
  assertRefused(t, await get(api, await headersOf(api, thief)), 401, 'dpop-key')
  const [, proof] = await headersOf(api, operator)
  if (proof === undefined) throw new TypeError('a proof')
  assertRefused(
    t,
    await get(api, [['Authorization', `Bearer ${token}`], proof]),
    401,
    'token-unbound',
  )
})

test('a proof for another request, token or time is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const iat = Math.floor(api.clock.now() / 1000)
  for (const [payload, code] of [
    [{ htm: 'POST' }, 'dpop-method'],
    [{ htu: `${testIssuer}/v1/agents` }, 'dpop-url'],
    [{ htu: { toString: 1, valueOf: 1 } }, 'dpop-url'],
    [{ iat: iat - 200 }, 'dpop-time'],
    [{ ath: undefined }, 'dpop-token-hash'],
    [{ ath: 'x' }, 'dpop-token-hash'],
  ] as const)
    assertRefused(t, await get(api, await headersOf(api, operator, { payload })), 401, code)
  const by = createTestKey()
  assertRefused(t, await get(api, await headersOf(api, operator, { by })), 401, 'dpop-signature')
})

test('a proof counts once, whatever the answer was', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const headers = await headersOf(api, operator)
  t.is((await get(api, headers)).status, 200)
  assertRefused(t, await get(api, headers), 401, 'dpop-replayed')
})

test('two tokens or two proofs in one request are none', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const [authorization, proof] = await headersOf(api, operator)
  if (authorization === undefined || proof === undefined) throw new TypeError('two headers')
  assertRefused(t, await get(api, [authorization, proof, proof]), 401, 'dpop-malformed')
  assertRefused(t, await get(api, [authorization, authorization, proof]), 401, 'token-malformed')
  t.is((await get(api, [authorization, proof])).status, 200)
})

test('a token ends, and one that was remembered as verified ends as well', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  t.is((await call(api, operator, 'GET', path)).status, 200)
  api.clock.advance(299_000)
  t.is((await call(api, operator, 'GET', path)).status, 200)
  api.clock.advance(1_000)
  assertRefused(t, await call(api, operator, 'GET', path), 401, 'token-expired')
})

test('a token for another audience is none here', async t => {
  const api = await startTestApi(t)
  const other = await startTestApi(t, { issuer: 'https://other.example' })
  const operator = await createOperator(api)
  assertRefused(t, await call(other, operator, 'GET', path), 401, 'token-unknown-key')
})

const rights: readonly (readonly [string, string, readonly string[]])[] = [
  ['GET', '/v1/hosts', ['administrator', 'auditor']],
  ['GET', '/v1/hosts/x', ['administrator', 'auditor']],
  ['POST', '/v1/hosts/x/revoke', ['administrator']],
  ['GET', '/v1/agents', ['administrator', 'auditor']],
  ['POST', '/v1/agents', []],
  ['POST', '/v1/agents/x/revoke', ['administrator']],
  ['POST', '/v1/agents/x/challenge', []],
  ['POST', '/v1/agents/x/credentials', []],
  ['POST', '/v1/hosts/x/credentials', []],
  ['GET', '/v1/anchors', ['administrator', 'auditor']],
  ['POST', '/v1/anchors', ['administrator']],
  ['GET', '/v1/classes', ['administrator', 'auditor']],
  ['POST', '/v1/classes', ['administrator']],
  ['GET', '/v1/operators', ['administrator', 'auditor']],
  ['POST', '/v1/operators', ['administrator']],
  ['POST', '/v1/operators/x/revoke', ['administrator']],
  ['GET', '/audit/tile/entries/000.p/1', ['administrator', 'auditor']],
]

for (const role of ['administrator', 'auditor', 'resource-server'] as const) {
  test(`${role} may do what its role says, and nothing else`, async t => {
    const api = await startTestApi(t)
    const caller = await createOperator(api, role)
    for (const [method, url, roles] of rights) {
      const answer = await call(api, caller, method, url, method === 'POST' ? {} : undefined)
      const allowed = roles.includes(role)
      t.is(answer.json['code'] === 'token-scope', !allowed, `${method} ${url}: ${answer.text}`)
      t.is(answer.status === 403, !allowed, `${method} ${url}`)
    }
  })
}

test('a token of fewer scopes can do less', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const token = await fetchToken(api, key, { resource: testIssuer, scope: 'classes:read' })
  t.is((await call(api, { key, token }, 'GET', '/v1/classes')).status, 200)
  assertRefused(t, await call(api, { key, token }, 'GET', path), 403, 'token-scope')
})

test('a revoked operator is refused at its next call, and gets no further token', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const other = await createOperator(api)
  t.is((await call(api, operator, 'GET', path)).status, 200)
  const reason = { reason: 'left' }
  t.is((await call(api, other, 'POST', `/v1/operators/${operator.id}/revoke`, reason)).status, 200)
  assertRefused(t, await call(api, operator, 'GET', path), 403, 'operator-revoked')
  await t.throwsAsync(fetchToken(api, operator.key), { message: /operator-revoked/ })
  t.is((await call(api, other, 'GET', path)).status, 200)
})
