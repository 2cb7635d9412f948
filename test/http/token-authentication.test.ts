import test from 'ava'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi } from '../support/test-api.ts'
import {
  askForToken,
  assertionOf,
  call,
  createOperator,
  nonceOf,
  postForm,
  proofOf,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'
import { assertRefusal, grant, registerReader, tokenCall } from './token-endpoint-fixtures.ts'

test('a proof that is missing, of an unknown key, or not for this request is refused', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const now = Math.floor(api.clock.now() / 1000)
  assertRefusal(
    t,
    await postForm(api, '/oauth/token', grant),
    400,
    'invalid_dpop_proof',
    'dpop-missing',
  )
  assertRefusal(t, await askForToken(api, createTestKey()), 401, 'invalid_client')
  const stale = { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }
  for (const [payload, code] of [
    [{ htm: 'GET' }, 'dpop-method'],
    [{ htu: `${testIssuer}/oauth/introspect` }, 'dpop-url'],
    [{ iat: now - 121 }, 'dpop-time'],
    [{ iat: now + 11 }, 'dpop-time'],
    [{ jti: 'x' }, 'dpop-malformed'],
  ] as const)
    assertRefusal(t, await askForToken(api, key, {}, { payload }), 400, 'invalid_dpop_proof', code)
  assertRefusal(
    t,
    await askForToken(api, key, {}, { payload: stale }),
    400,
    'use_dpop_nonce',
    'dpop-nonce',
  )
  assertRefusal(
    t,
    await askForToken(api, key, {}, { by: createTestKey() }),
    400,
    'invalid_dpop_proof',
    'dpop-signature',
  )
  const private_ = { jwk: { ...key.jwk, d: 'AA' } }
  assertRefusal(
    t,
    await askForToken(api, key, {}, { header: private_ }),
    400,
    'invalid_dpop_proof',
    'dpop-malformed',
  )
})

test('two proofs in one request are none', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const proof = await proofOf(api, key, tokenCall)
  const headers = [
    ['DPoP', proof],
    ['DPoP', await proofOf(api, key, tokenCall)],
  ] as const
  assertRefusal(
    t,
    await postForm(api, '/oauth/token', grant, headers),
    400,
    'invalid_dpop_proof',
    'dpop-malformed',
  )
  t.is((await postForm(api, '/oauth/token', grant, [['DPoP', proof]])).status, 200)
})

test('a proof counts once', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const proof = await proofOf(api, key, tokenCall)
  t.is((await postForm(api, '/oauth/token', grant, [['DPoP', proof]])).status, 200)
  const again = await postForm(api, '/oauth/token', grant, [['DPoP', proof]])
  assertRefusal(t, again, 400, 'invalid_dpop_proof', 'dpop-replayed')
})

test('a proof whose time has a fraction counts once as well', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const iat = Math.floor(api.clock.now() / 1000) + 0.1234567
  t.is((await askForToken(api, key, {}, { payload: { iat } })).status, 200)
})

test('a nonce is good in its minute and the next', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const nonce = await nonceOf(api)
  api.clock.advance(60_000)
  t.is((await askForToken(api, key, {}, { payload: { nonce } })).status, 200)
  api.clock.advance(60_000)
  t.is((await askForToken(api, key, {}, { payload: { nonce } })).json['error'], 'use_dpop_nonce')
})

test('an assertion beside the proof must be by the same key, for the same client', async t => {
  const api = await startTestApi(t)
  const { key, clientId } = await createOperator(api)
  const other = await createOperator(api)
  const good = await askForToken(api, key, assertionOf(api, key, clientId))
  t.like(good.json, { token_type: 'DPoP' })
  const refuse = async (form: Record<string, string>, code: string): Promise<void> =>
    assertRefusal(t, await askForToken(api, key, form), 401, 'invalid_client', code)
  await refuse(assertionOf(api, other.key, clientId), 'assertion-signature')
  await refuse(assertionOf(api, key, other.clientId), 'assertion-malformed')
  await refuse(
    assertionOf(api, key, clientId, { aud: `${testIssuer}/oauth/token` }),
    'assertion-audience',
  )
  await refuse(assertionOf(api, key, clientId, { exp: 1 }), 'assertion-time')
})

test('a client that knows private_key_jwt alone gets a token that only its key can use', async t => {
  const api = await startTestApi(t)
  const { key, clientId } = await createOperator(api)
  const answer = await postForm(api, '/oauth/token', {
    ...grant,
    ...assertionOf(api, key, clientId),
  })
  t.is(answer.status, 200, answer.text)
  t.is(answer.json['token_type'], 'DPoP')
  const token = String(answer.json['access_token'])
  const bearer = await api.send({
    method: 'GET',
    path: '/v1/hosts',
    headers: [['Authorization', `Bearer ${token}`]],
  })
  t.is(bearer.json['code'], 'token-unbound')
  t.is(
    (await call(api, { key: createTestKey(), token }, 'GET', '/v1/hosts')).json['code'],
    'dpop-key',
  )
  t.is((await call(api, { key, token }, 'GET', '/v1/hosts')).status, 200)
})

test('an assertion counts once, and says nothing about who else there is', async t => {
  const api = await startTestApi(t)
  const { key, clientId } = await createOperator(api)
  const form = { ...grant, ...assertionOf(api, key, clientId) }
  t.is((await postForm(api, '/oauth/token', form)).status, 200)
  const again = await postForm(api, '/oauth/token', form)
  assertRefusal(t, again, 401, 'invalid_client', 'assertion-replayed')
  const stranger = createTestKey()
  const names = [
    clientId,
    clientId.slice(0, -1),
    'spiffe://example.org/host/x',
    'spiffe://example.org/agent/a/x',
    'spiffe://other.org/host/x',
    'spiffe://example.org/other/x',
    'x',
  ]
  const answers = await Promise.all(
    names.map(name =>
      postForm(api, '/oauth/token', { ...grant, ...assertionOf(api, stranger, name) }),
    ),
  )
  for (const answer of answers) {
    assertRefusal(t, answer, 401, 'invalid_client', 'assertion-signature')
    t.is(answer.text, answers[0]?.text ?? '')
  }
})

test('hosts and agents authenticate with an assertion as operators do', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, operator)
  const agent = await createAgent(api, host, 'reader')
  for (const { key, clientId } of [host, agent]) {
    const answer = await postForm(api, '/oauth/token', {
      ...grant,
      ...assertionOf(api, key, clientId),
    })
    t.is(answer.status, 200, answer.text)
  }
})
