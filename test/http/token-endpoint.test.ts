import test from 'ava'
import { jwtVerify, createLocalJWKSet } from 'jose'
import { startTestApi, verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import {
  askForToken,
  assertionOf,
  call,
  createOperator,
  fetchToken,
  postForm,
  proofOf,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'
import { introspect } from '../support/token-standing.ts'
import { assertRefusal, grant, registerReader, tokenCall } from './token-endpoint-fixtures.ts'

test('a client with a registered key gets a token of minutes, bound to that key', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const answer = await askForToken(api, operator.key)
  t.is(answer.status, 200)
  t.like(answer.json, { token_type: 'DPoP', expires_in: 300 })
  t.is(answer.headers['cache-control'], 'no-store')
  const jwks = await api.send({ method: 'GET', path: '/oauth/jwks' })
  const { payload, protectedHeader } = await jwtVerify(
    String(answer.json['access_token']),
    createLocalJWKSet(jwks.json as never),
    {
      issuer: testIssuer,
      audience: testIssuer,
      typ: 'at+jwt',
      currentDate: new Date(api.clock.now()),
    },
  )
  t.is(protectedHeader.alg, 'ES256')
  t.like(payload, {
    sub: operator.clientId,
    client_id: operator.clientId,
    cnf: { jkt: operator.key.jkt },
  })
  t.is((payload.exp ?? 0) - (payload.iat ?? 0), 300)
})

test('the token is in the audit log, without its text', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const lines = await verifyTestLog(api.service)
  const line = lines.find(({ type }) => type === 'token.issued')
  t.is(line?.actor, operator.clientId)
  t.deepEqual(line?.detail['cnf'], { jkt: operator.key.jkt })
  t.false(JSON.stringify(lines).includes(operator.token))
})

test('each request of a bad form is refused in OAuth’s words', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const ask = async (form: Record<string, string>): Promise<TestAnswer> => {
    const proof = await proofOf(api, key, tokenCall)
    return await postForm(api, '/oauth/token', form, [['DPoP', proof]])
  }
  assertRefusal(t, await ask({}), 400, 'invalid_request')
  assertRefusal(t, await ask({ grant_type: 'password' }), 400, 'unsupported_grant_type')
  assertRefusal(t, await ask({ grant_type: 'authorization_code' }), 400, 'unsupported_grant_type')
  assertRefusal(t, await ask({ ...grant, scope: 'everything' }), 400, 'invalid_scope')
  assertRefusal(t, await ask({ ...grant, scope: 'hosts:read everything' }), 400, 'invalid_scope')
  assertRefusal(
    t,
    await ask({ ...grant, resource: 'https://other.example' }),
    400,
    'invalid_target',
  )
  assertRefusal(t, await ask({ ...grant, client_id: 'somebody' }), 401, 'invalid_client')
  assertRefusal(t, await ask({ ...grant, client_assertion: 'x' }), 400, 'invalid_request')
  const twice = await postForm(api, '/oauth/token', 'grant_type=client_credentials&scope=a&scope=a')
  assertRefusal(t, twice, 400, 'invalid_request', 'body-malformed')
})

test('a wish for fewer scopes is granted, in the order that was asked', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const answer = await askForToken(api, key, { scope: 'hosts:read  anchors:read hosts:read' })
  t.is(answer.json['scope'], 'hosts:read anchors:read')
})

test('an agent gets what its class allows, and its token says what it stands on', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, operator)
  const { key, clientId } = await createAgent(api, host, 'reader')
  const plain = await askForToken(api, key)
  t.like(plain.json, { scope: 'read write', expires_in: 120 })
  const claims = claimsOf(plain)
  t.like(claims, { aud: 'https://api.example/', sub: clientId, cnf: { jkt: key.jkt } })
  t.like(claims['assay'], { kind: 'agent', class: 'reader', host: host.id, assurance: 'emulated' })
  const second = await askForToken(api, key, { resource: 'https://other.example/', scope: 'read' })
  t.like(claimsOf(second), { aud: 'https://other.example/', scope: 'read' })
  const own = await askForToken(api, key, { resource: testIssuer })
  t.like(claimsOf(own), { aud: testIssuer, scope: 'credentials:issue grants:own' })
  assertRefusal(
    t,
    await askForToken(api, key, { resource: 'https://evil.example/' }),
    400,
    'invalid_target',
  )
  assertRefusal(t, await askForToken(api, key, { scope: 'hosts:read' }), 400, 'invalid_scope')
  assertRefusal(
    t,
    await askForToken(api, key, { resource: testIssuer, scope: 'hosts:revoke' }),
    400,
    'invalid_scope',
  )
})

function claimsOf({ json }: TestAnswer): Record<string, unknown> {
  const payload = String(json['access_token']).split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

test('no token lives longer than its class, the service’s limit, or what its host has attested', async t => {
  const api = await startTestApi(t, { tokenMaxLifetimeSeconds: 100 })
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, operator, { tokenLifetimeSeconds: 60 })
  const { key } = await createAgent(api, host, 'reader')
  t.is((await askForToken(api, operator.key)).json['expires_in'], 100)
  t.is((await askForToken(api, host.key)).json['expires_in'], 100)
  t.is((await askForToken(api, key)).json['expires_in'], 60)
  api.clock.advance(86_400_000 - 30_500)
  for (const holder of [key, host.key]) {
    const answer = await askForToken(api, holder)
    t.is(answer.json['expires_in'], 30, answer.text)
  }
  t.is((await askForToken(api, operator.key)).json['expires_in'], 100)
  api.clock.advance(31_000)
  for (const holder of [key, host.key])
    assertRefusal(t, await askForToken(api, holder), 401, 'invalid_client', 'attestation-expired')
})

test('a class cannot ask for tokens that live longer than the service’s limit', async t => {
  const api = await startTestApi(t, { tokenMaxLifetimeSeconds: 100 })
  const operator = await createOperator(api)
  await t.throwsAsync(registerReader(api, operator, { tokenLifetimeSeconds: 101 }), {
    message: /request-malformed/,
  })
})

test('a token is asked for under the names that the service gives itself, whatever Host says', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const proof = await proofOf(api, key, tokenCall, {
    payload: { htu: 'http://127.0.0.1/oauth/token' },
  })
  const answer = await postForm(api, '/oauth/token', grant, [
    ['DPoP', proof],
    ['X-Forwarded-Host', '127.0.0.1'],
    ['X-Forwarded-Proto', 'http'],
  ])
  assertRefusal(t, answer, 400, 'invalid_dpop_proof', 'dpop-url')
})

test('a resource server learns whether a token is good, and of a bad one nothing', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const server = await createOperator(api, 'resource-server')
  const ask = async (token: string): Promise<TestAnswer> => await introspect(api, server, token)
  const good = await ask(operator.token)
  t.like(good.json, { active: true, sub: operator.clientId, cnf: { jkt: operator.key.jkt } })
  for (const bad of ['x', `${operator.token}x`, operator.token.slice(0, -4)])
    t.deepEqual((await ask(bad)).json, { active: false })
  await call(api, await createOperator(api), 'POST', `/v1/operators/${operator.id}/revoke`, {
    reason: 'gone',
  })
  t.deepEqual((await ask(operator.token)).json, { active: false })
  const old = await fetchToken(api, server.key)
  api.clock.advance(301_000)
  t.is((await ask(old)).json['error'], 'invalid_token')
})

test('introspection is for who may introspect, and refuses in OAuth’s form', async t => {
  const api = await startTestApi(t)
  const auditor = await createOperator(api, 'auditor')
  const path = '/oauth/introspect'
  const none = await postForm(api, path, { token: 'x' })
  t.like(none, { status: 401, type: 'application/json' })
  t.is(none.json['error'], 'invalid_token')
  t.regex(String(none.headers['www-authenticate']), /^DPoP/)
  const proof = await proofOf(api, auditor.key, { method: 'POST', path, token: auditor.token })
  const wrong = await postForm(api, path, { token: 'x' }, [
    ['Authorization', `DPoP ${auditor.token}`],
    ['DPoP', proof],
  ])
  t.like(wrong, { status: 403, type: 'application/json' })
  t.is(wrong.json['error'], 'insufficient_scope')
  const server = await createOperator(api, 'resource-server')
  const good = await proofOf(api, server.key, { method: 'POST', path, token: server.token })
  const empty = await postForm(api, path, {}, [
    ['Authorization', `DPoP ${server.token}`],
    ['DPoP', good],
  ])
  t.like(empty, { status: 400 })
  t.is(empty.json['error'], 'invalid_request')
})

test('introspection takes client authentication as the token endpoint does, once each', async t => {
  const api = await startTestApi(t)
  const path = '/oauth/introspect'
  const operator = await createOperator(api)
  const server = await createOperator(api, 'resource-server')
  const auditor = await createOperator(api, 'auditor')
  const form = { ...assertionOf(api, server.key, server.clientId), token: operator.token }
  t.like((await postForm(api, path, form)).json, { active: true, sub: operator.clientId })
  const again = await postForm(api, path, form)
  assertRefusal(t, again, 401, 'invalid_client', 'assertion-replayed')
  const asAuditor = { ...assertionOf(api, auditor.key, auditor.clientId), token: operator.token }
  t.is((await postForm(api, path, asAuditor)).json['error'], 'unauthorized_client')
  const stranger = { ...assertionOf(api, auditor.key, server.clientId), token: operator.token }
  assertRefusal(
    t,
    await postForm(api, path, stranger),
    401,
    'invalid_client',
    'assertion-signature',
  )
})
