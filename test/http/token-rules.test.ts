import test, { type ExecutionContext } from 'ava'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  askForToken,
  call,
  createOperator,
  fetchToken,
  postForm,
  proofOf,
  type TestCaller,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'
import { introspect } from '../support/token-standing.ts'

const api1 = 'https://api.example/'
const api2 = 'https://other.example/'

interface Stage {
  readonly api: TestApi
  readonly agent: TestAgent
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const registered = await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: [api1, api2],
    scopes: ['read'],
    hosts: ['*'],
    owner: 'ada@example.org',
    authorizationDetails: [{ type: 'ticket', actions: ['read', 'write'], identifiers: ['42'] }],
  })
  if (registered.status !== 201) throw new Error(registered.text)
  return { api, agent: await createAgent(api, host, 'reader') }
}

function claimsOf({ json }: TestAnswer): Record<string, unknown> {
  return decodeJwt(String(json['access_token']))
}

async function revoke(
  api: TestApi,
  caller: Pick<TestCaller, 'key'>,
  form: Readonly<Record<string, string>>,
): Promise<TestAnswer> {
  const proof = await proofOf(api, caller.key, { method: 'POST', path: '/oauth/revoke' })
  return await postForm(api, '/oauth/revoke', form, [['DPoP', proof]])
}

/** A form with one parameter several times. */
async function askForResources(
  { api, agent }: Stage,
  resources: readonly string[],
): Promise<TestAnswer> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  for (const resource of resources) form.append('resource', resource)
  const proof = await proofOf(api, agent.key, { method: 'POST', path: '/oauth/token' })
  return await postForm(api, '/oauth/token', form.toString(), [['DPoP', proof]])
}

test('several resources make one token for all of them, unless one may not be asked for', async t => {
  const stage = await begin(t)
  t.deepEqual(claimsOf(await askForResources(stage, [api1, api2]))['aud'], [api1, api2])
  t.is(claimsOf(await askForResources(stage, [api2, api2]))['aud'], api2)
  for (const resources of [
    [api1, 'https://evil.example/'],
    [api1, testIssuer],
    [`${api1} ${api2}`],
  ]) {
    const answer = await askForResources(stage, resources)
    t.like(answer, { status: 400, json: { error: 'invalid_target' } })
  }
})

test('a token says what its holder is and stands on, and names a run that nobody chose', async t => {
  const { api, agent } = await begin(t)
  const [first, second] = [await askForToken(api, agent.key), await askForToken(api, agent.key)]
  const { assay, txn } = claimsOf(first) as { assay: Record<string, unknown>; txn: string }
  t.like(assay, { kind: 'agent', class: 'reader', owner: 'ada@example.org', host: agent.host.id })
  t.regex(String(assay['attestation_result']), /^[0-9a-f]{64}$/)
  t.is(assay['attested_at'], Math.floor(api.clock.now() / 1000))
  t.regex(String(assay['run']), /^[\w-]{22}$/)
  t.not((claimsOf(second)['assay'] as { run: string }).run, assay['run'] as string)
  t.not(claimsOf(second)['txn'], txn)
  for (const name of ['run', 'run_id', 'txn', 'jti']) {
    const answer = await askForToken(api, agent.key, { [name]: 'mine' })
    t.like(answer, { status: 400, json: { error: 'invalid_request' } })
  }
  t.is((await askForToken(api, agent.key, { unknown: 'mine' })).status, 200)
  const lines = await verifyTestLog(api.service)
  t.is(lines.find(line => line.detail['txn'] === txn)?.detail['run'], assay['run'])
})

test('authorization details are granted as registered, echoed and told to who introspects', async t => {
  const { api, agent } = await begin(t)
  const details = [{ type: 'ticket', actions: ['read'], identifier: '42' }]
  const answer = await askForToken(api, agent.key, {
    authorization_details: JSON.stringify(details),
  })
  t.is(answer.status, 200, answer.text)
  t.deepEqual(answer.json['authorization_details'], details)
  t.deepEqual(claimsOf(answer)['authorization_details'], details)
  const server = await createOperator(api, 'resource-server', [api1])
  const told = await introspect(api, server, String(answer.json['access_token']))
  t.deepEqual(told.json['authorization_details'], details)
  for (const asked of [
    'x',
    '[]',
    '{}',
    '[{"type":"payment"}]',
    '[{"type":"ticket","actions":["delete"]}]',
    '[{"type":"ticket","amount":1}]',
    '[{"type":"ticket","actions":["read","read"]}]',
    '[{"type":"ticket","type":"ticket"}]',
    '['.repeat(5_000),
  ]) {
    const refused = await askForToken(api, agent.key, { authorization_details: asked })
    t.like(refused, { status: 400, json: { error: 'invalid_authorization_details' } })
  }
  const metadata = await api.send({
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
  })
  t.deepEqual(metadata.json['authorization_details_types_supported'], ['ticket'])
})

test('a token that no verifier would read is refused, and none is recorded as issued', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const actions = Array.from({ length: 60 }, (_, n) => `act-${n}-${'x'.repeat(50)}`)
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'actor',
    audiences: [api1],
    scopes: ['read'],
    hosts: ['*'],
    authorizationDetails: [{ type: 'ticket', actions }],
  })
  const { key } = await createAgent(api, host, 'actor')
  const ask = async (count: number): Promise<TestAnswer> => {
    const one = { type: 'ticket', actions: actions.slice(0, count) }
    return await askForToken(api, key, { authorization_details: JSON.stringify([one, one]) })
  }
  const countIssued = async (): Promise<number> =>
    (await verifyTestLog(api.service)).filter(({ type }) => type === 'token.issued').length
  const before = await countIssued()
  const refused = await ask(60)
  t.like(refused, { status: 400, json: { error: 'invalid_authorization_details' } })
  t.regex(String(refused.json['error_description']), /8192/)
  t.is(await countIssued(), before)
  const granted = await ask(20)
  t.is(granted.status, 200, granted.text)
  t.true(String(granted.json['access_token']).length <= 8_192)
  t.is(await countIssued(), before + 1)
  t.is((await introspect(api, operator, String(granted.json['access_token']))).json['active'], true)
})

test('one API does not learn of tokens for another; administrators do', async t => {
  const { api, agent } = await begin(t)
  const token = await fetchToken(api, agent.key, { resource: api1 })
  const own = await createOperator(api, 'resource-server', [api1])
  const other = await createOperator(api, 'resource-server', [api2])
  t.like((await introspect(api, own, token)).json, {
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: agent.key.jkt },
  })
  t.deepEqual((await introspect(api, other, token)).json, { active: false })
  t.is((await introspect(api, await createOperator(api), token)).json['active'], true)
})

test('an answer of introspection is signed for the asker where it asks so', async t => {
  const { api, agent } = await begin(t)
  const server = await createOperator(api, 'resource-server', [api1])
  const token = await fetchToken(api, agent.key, { resource: api1 })
  const type = 'application/token-introspection+jwt'
  const answer = await introspect(api, server, token, type)
  t.is(answer.type, type)
  const jwks = await api.send({ method: 'GET', path: '/oauth/jwks' })
  const { payload } = await jwtVerify(answer.text, createLocalJWKSet(jwks.json as never), {
    issuer: testIssuer,
    audience: server.clientId,
    typ: 'token-introspection+jwt',
    currentDate: new Date(api.clock.now()),
  })
  t.like(payload['token_introspection'], { active: true, aud: api1 })
  const bad = decodeJwt((await introspect(api, server, 'x', type)).text)
  t.deepEqual(bad['token_introspection'], { active: false })
})

test('a client takes back its own token, and is told the same of one that is none', async t => {
  const { api, agent } = await begin(t)
  const server = await createOperator(api, 'resource-server', [api1])
  const token = await fetchToken(api, agent.key, { resource: api1 })
  t.is((await introspect(api, server, token)).json['active'], true)
  t.is((await revoke(api, agent, { token })).status, 200)
  t.deepEqual((await introspect(api, server, token)).json, { active: false })
  t.is((await revoke(api, agent, { token })).status, 200)
  for (const unknown of ['x', `${token}x`, 'a.b.c'])
    t.is(
      (await revoke(api, agent, { token: unknown, token_type_hint: 'refresh_token' })).status,
      200,
    )
  const lines = await verifyTestLog(api.service)
  t.is(lines.filter(({ type }) => type === 'token.revoked').length, 1)
})

test('a token that was taken back is of no use at this API, while the next one is', async t => {
  const { api, agent } = await begin(t)
  const token = await fetchToken(api, agent.key)
  const { key } = agent
  t.is((await call(api, { key, token }, 'POST', '/v1/svids/wit')).status, 200)
  t.is((await revoke(api, agent, { token })).status, 200)
  const answer = await call(api, { key, token }, 'POST', '/v1/svids/wit')
  t.like(answer, { status: 401, json: { code: 'token-inactive' } })
  t.regex(
    String(answer.headers['www-authenticate']),
    /resource_metadata="https:\/\/assay\.example\/\.well-known\/oauth-protected-resource"/,
  )
  const next = await fetchToken(api, key)
  t.is((await call(api, { key, token: next }, 'POST', '/v1/svids/wit')).status, 200)
})

test('what a client may not take back is refused in OAuth’s words', async t => {
  const { api, agent } = await begin(t)
  const operator = await createOperator(api)
  const foreign = await revoke(api, agent, { token: operator.token })
  t.like(foreign, { status: 400, json: { error: 'unauthorized_client' } })
  const own = await fetchToken(api, agent.key)
  const svid = await call(api, { key: agent.key, token: own }, 'POST', '/v1/svids/wit')
  const other = await revoke(api, agent, { token: String(svid.json['svid']) })
  t.like(other, { status: 400, json: { error: 'unsupported_token_type' } })
  t.like(await revoke(api, agent, {}), { status: 400, json: { error: 'invalid_request' } })
  const nobody = await revoke(api, { key: createTestKey() }, { token: own })
  t.like(nobody, { status: 401, json: { error: 'invalid_client' } })
})

test('metadata name every way in, on both paths, and the API as a protected resource', async t => {
  const api = await startTestApi(t)
  const [oauth, oidc, resource] = await Promise.all(
    ['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource'].map(
      async name => await api.send({ method: 'GET', path: `/.well-known/${name}` }),
    ),
  )
  t.deepEqual(oauth?.json, oidc?.json)
  t.like(oauth?.json, {
    issuer: testIssuer,
    revocation_endpoint: `${testIssuer}/oauth/revoke`,
    challenge_endpoint: `${testIssuer}/oauth/challenge`,
    client_attestation_pop_methods_supported: [
      'attest_jwt_client_auth',
      'attest_jwt_client_auth_dpop',
    ],
    tls_client_certificate_bound_access_tokens: true,
  })
  t.like(oauth?.json['mtls_endpoint_aliases'], { token_endpoint: `${testIssuer}/oauth/token` })
  t.like(resource?.json, { resource: testIssuer, authorization_servers: [testIssuer] })
})

test('a body in which a member comes twice is refused', async t => {
  const api = await startTestApi(t)
  const answer = await api.send({
    method: 'POST',
    path: '/v1/enrollments',
    headers: [['Content-Type', 'application/json']],
    body: '{"name":"a","name":"b"}',
  })
  t.like(answer, { status: 400, json: { code: 'body-malformed' } })
})
