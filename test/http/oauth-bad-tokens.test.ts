import test from 'ava'
import { compactJws, createTestKey, segment, type TestKey } from '../support/compact-jws.ts'
import type { TestAnswer } from '../support/test-api.ts'
import { call, fetchToken, postForm, proofOf } from '../support/test-caller.ts'
import { testIssuer } from '../support/test-service.ts'
import {
  ask,
  attestationOf,
  begin,
  nested,
  resource,
  tokenPath,
  type Header,
} from './oauth-stage.ts'

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const attacker = createTestKey()

test('a call that shows two tokens, two proofs or the proof of another is refused', async t => {
  const { api, agent, second } = await begin(t)
  const path = '/v1/svids/wit'
  const own = async (changes: object = {}): Promise<Header> => [
    'DPoP',
    await proofOf(
      api,
      agent.key,
      { method: 'POST', path, token: agent.token },
      { payload: changes },
    ),
  ]
  const token: Header = ['Authorization', `DPoP ${agent.token}`]
  const foreign = await proofOf(api, second.key, { method: 'POST', path, token: agent.token })
  const rows: readonly (readonly [string, readonly Header[], string])[] = [
    ['two tokens', [token, token, await own()], 'token-malformed'],
    [
      'a token and a bearer token',
      [token, ['Authorization', 'Bearer x'], await own()],
      'token-malformed',
    ],
    ['two proofs', [token, await own(), await own()], 'dpop-malformed'],
    ['no proof', [token], 'dpop-missing'],
    ['a proof for another method', [token, await own({ htm: 'GET' })], 'dpop-method'],
    [
      'a proof for another address',
      [token, await own({ htu: `${testIssuer}/v1/hosts` })],
      'dpop-url',
    ],
    ['a proof for another token', [token, await own({ ath: 'x' })], 'dpop-token-hash'],
    ['a proof for no token', [token, await own({ ath: undefined })], 'dpop-token-hash'],
    ['a proof by another key', [token, ['DPoP', foreign]], 'dpop-key'],
    ['a bound token as a bearer', [['Authorization', `Bearer ${agent.token}`]], 'token-unbound'],
    [
      'a NUL behind the token',
      [['Authorization', `DPoP ${agent.token}.`], await own()],
      'token-malformed',
    ],
  ]
  for (const [name, headers, code] of rows) {
    const answer = await api.send({ method: 'POST', path, headers })
    t.is(answer.json['code'], code, `${name}: ${answer.text}`)
    t.is(answer.status, 401, name)
  }
  t.is((await api.send({ method: 'POST', path, headers: [token, await own()] })).status, 200)
})

test('a token that is none is inactive, nothing to be taken back, and nothing to act with', async t => {
  const { api, agent, second, operator } = await begin(t)
  const asked = { resource, may_act: second.clientId }
  const token = await fetchToken(api, agent.key, asked)
  const [head = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object
  const forged = [
    [`${segment({ ...header, alg: 'none' })}.${payload}.`, 'token-signature'],
    [compactJws(header, claims, attacker), 'token-signature'],
    [compactJws({ ...header, jwk: attacker.jwk }, claims, attacker), 'token-signature'],
    [compactJws({ ...header, kid: '../../keys' }, claims, attacker), 'token-unknown-key'],
    [`${head}.${segment({ ...claims, scope: 'write' })}.${signature}`, 'token-signature'],
    [`${head}.${segment(nested(2_500))}.${signature}`, 'token-malformed'],
    ['x'.repeat(9_000), 'token-malformed'],
    ['\u0000', 'token-malformed'],
  ] as const
  const proven = async (
    key: TestKey,
    path: string,
    body: Record<string, string>,
  ): Promise<TestAnswer> =>
    await postForm(api, path, body, [['DPoP', await proofOf(api, key, { method: 'POST', path })]])
  const swap = async (text: string): Promise<TestAnswer> =>
    await proven(second.key, tokenPath, {
      grant_type: exchangeGrant,
      subject_token: text,
      subject_token_type: accessTokenType,
    })
  for (const [text, code] of forged) {
    const inactive = await proven(operator.key, '/oauth/introspect', { token: text })
    t.deepEqual(inactive.json, { active: false }, text.slice(0, 60))
    t.is((await proven(agent.key, '/oauth/revoke', { token: text })).status, 200)
    const swapped = await swap(text)
    t.is(swapped.status, 400, swapped.text)
    t.like(swapped.json, { error: 'invalid_request', code }, swapped.text)
  }
  const good = await proven(operator.key, '/oauth/introspect', { token })
  t.like(good.json, { active: true })
  const accepted = await swap(token)
  t.is(accepted.status, 200, accepted.text)
})

test('after its host was revoked no token, proof or attestation of an agent is good for anything', async t => {
  const stage = await begin(t)
  const { api, agent, second, host, operator } = stage
  const token = await fetchToken(api, agent.key, { resource, may_act: second.clientId })
  const attestation = await attestationOf(stage)
  const proof = async (): Promise<Header> => [
    'DPoP',
    await proofOf(api, agent.key, { method: 'POST', path: tokenPath }),
  ]
  const revoked = await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, {
    reason: 'lost',
  })
  t.is(revoked.status, 200, revoked.text)
  t.like((await call(api, agent, 'POST', '/v1/svids/wit')).json, { code: 'host-revoked' })
  for (const headers of [
    [await proof()],
    [['OAuth-Client-Attestation', attestation] as const, await proof()],
  ]) {
    const answer = await ask(stage, headers)
    t.like(answer.json, { error: 'invalid_client', code: 'host-revoked' }, answer.text)
  }
  const introspected = await postForm(api, '/oauth/introspect', { token }, [
    ['DPoP', await proofOf(api, operator.key, { method: 'POST', path: '/oauth/introspect' })],
  ])
  t.deepEqual(introspected.json, { active: false })
})
