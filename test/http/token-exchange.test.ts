import test from 'ava'
import { decodeJwt } from 'jose'
import type { AccessTokenClaims } from '../../src/core/token/access-token.ts'
import { verifyTestLog, type TestAnswer } from '../support/test-api.ts'
import {
  accessTokenType,
  askForToken,
  call,
  exchangeGrant,
  fetchToken,
} from '../support/test-caller.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { testIssuer } from '../support/test-service.ts'
import {
  api1,
  api2,
  begin,
  details,
  exchange,
  introspect,
  refused,
  reissue,
  subjectToken,
  takeBack,
  tokenOf,
} from './exchange-stage.ts'

const fewer = [{ type: 'ticket', actions: ['read'] }]

test('an agent acts for another: the token says for whom and through whom, bound to its own key', async t => {
  const stage = await begin(t)
  const { api, first, second, reader } = stage
  const subject = await subjectToken(stage, { scope: 'read write' })
  const before = decodeJwt<AccessTokenClaims>(subject)
  const answer = await exchange(stage, second, subject, {
    requested_token_type: accessTokenType,
    actor_token: await fetchToken(api, second.key, { resource: api1 }),
    actor_token_type: accessTokenType,
    may_act: reader.clientId,
  })
  t.like(answer.json, {
    token_type: 'DPoP',
    issued_token_type: accessTokenType,
    scope: 'read write',
  })
  const once = decodeJwt<AccessTokenClaims>(tokenOf(answer))
  t.like(once, {
    sub: first.clientId,
    client_id: second.clientId,
    aud: api1,
    txn: before.txn,
    cnf: { jkt: second.key.jkt },
  })
  t.deepEqual(once.act, { sub: second.clientId })
  t.not(once.jti, before.jti)
  const last = tokenOf(await exchange(stage, reader, tokenOf(answer)))
  const told = await introspect(stage, last)
  t.like(told, { active: true, sub: first.clientId, txn: before.txn, scope: 'read' })
  t.deepEqual(told['act'], { sub: reader.clientId, act: { sub: second.clientId } })
  const lines = await verifyTestLog(api.service)
  const entries = lines.filter(({ type }) => type === 'token.exchanged')
  t.is(entries.length, 2)
  t.like(entries[1]?.detail, {
    subject: first.clientId,
    actor: reader.clientId,
    chain: [reader.clientId, second.clientId],
    parents: [once.jti, before.jti],
    txn: before.txn,
  })
})

test('scopes only narrow, by the token and by the class of the actor', async t => {
  const stage = await begin(t)
  const { second, reader } = stage
  const [all, some] = [await subjectToken(stage), await subjectToken(stage, { scope: 'read' })]
  t.is((await exchange(stage, second, all, { scope: 'write' })).json['scope'], 'write')
  const forReader = await subjectToken(stage, {}, reader)
  t.is((await exchange(stage, reader, forReader)).json['scope'], 'read')
  refused(t, await exchange(stage, second, some, { scope: 'read write' }), 'invalid_scope')
  refused(t, await exchange(stage, reader, forReader, { scope: 'write' }), 'invalid_scope')
})

test('audiences only narrow, and a token for the service itself is not passed on', async t => {
  const stage = await begin(t)
  const { second, reader } = stage
  const one = await subjectToken(stage)
  t.is(decodeJwt(tokenOf(await exchange(stage, second, one, { audience: api1 }))).aud, api1)
  t.is(decodeJwt(tokenOf(await exchange(stage, second, one, { resource: api1 }))).aud, api1)
  refused(t, await exchange(stage, second, one, { resource: api2 }), 'invalid_target')
  refused(t, await exchange(stage, second, one, { audience: api2 }), 'invalid_target')
  refused(t, await exchange(stage, second, one, { resource: testIssuer }), 'invalid_target')
  const other = await subjectToken(stage, { resource: api2 })
  t.is((await exchange(stage, second, other)).status, 200)
  const forReader = await subjectToken(stage, { resource: api2 }, reader)
  refused(t, await exchange(stage, reader, forReader), 'invalid_target')
  const own = await subjectToken(stage, { resource: testIssuer })
  refused(t, await exchange(stage, second, own), 'invalid_target')
})

test('authorization details only narrow, and are not lost on the way', async t => {
  const stage = await begin(t)
  const { second, reader } = stage
  const asked = (value: object): Record<string, string> => {
    return { authorization_details: JSON.stringify(value) }
  }
  const whole = await subjectToken(stage, asked(details))
  const part = await subjectToken(stage, asked(fewer))
  const none = await subjectToken(stage)
  const detailsOf = (answer: TestAnswer): unknown =>
    decodeJwt(tokenOf(answer))['authorization_details']
  t.deepEqual(detailsOf(await exchange(stage, second, whole, asked(fewer))), fewer)
  t.deepEqual(detailsOf(await exchange(stage, second, part)), fewer)
  const error = 'invalid_authorization_details'
  refused(t, await exchange(stage, second, part, asked(details)), error)
  refused(t, await exchange(stage, second, whole, asked([{ type: 'ticket' }])), error)
  refused(t, await exchange(stage, second, none, asked(fewer)), error)
  const forReader = await subjectToken(stage, asked(details), reader)
  refused(t, await exchange(stage, reader, forReader), error)
})

test('a token in exchange ends no later than the one that it came from', async t => {
  const stage = await begin(t)
  const { api, second } = stage
  const subject = await subjectToken(stage)
  const { exp = 0 } = decodeJwt(subject)
  // In the first half of a second the seconds that are left are the same wherever they are counted.
  api.clock.advance(60_000 + 400 - (api.clock.now() % 1000))
  const answer = await exchange(stage, second, subject)
  t.is(decodeJwt(tokenOf(answer)).exp, exp)
  t.is(answer.json['expires_in'], exp - Math.floor(api.clock.now() / 1000))
  api.clock.advance(exp * 1000 - api.clock.now())
  refused(t, await exchange(stage, second, subject), 'invalid_request', 'token-expired')
})

test('the actor is the caller: an actor token of somebody else, or for somebody else, is refused', async t => {
  const stage = await begin(t)
  const { api, first, second, reader } = stage
  const subject = await subjectToken(stage)
  const ask = async (token: string): Promise<TestAnswer> =>
    await exchange(stage, second, subject, {
      actor_token: token,
      actor_token_type: accessTokenType,
    })
  t.is((await ask(second.token)).status, 200)
  refused(t, await ask(reader.token), 'invalid_request', 'delegation-actor')
  refused(t, await ask(first.token), 'invalid_request', 'delegation-actor')
  const passedOn = tokenOf(await exchange(stage, second, subject))
  refused(t, await ask(passedOn), 'invalid_request', 'delegation-actor')
  refused(t, await ask('x'), 'invalid_request', 'token-malformed')
  const own = await fetchToken(api, second.key, { resource: api1 })
  await takeBack(stage, second, own)
  refused(t, await ask(own), 'invalid_request', 'token-inactive')
})

test('a token that its holder does not leave to anybody is of no use to other agents', async t => {
  const stage = await begin(t)
  const { api, first, second } = stage
  t.is((await exchange(stage, second, await subjectToken(stage))).status, 200)
  const stolen = await fetchToken(api, first.key, { resource: api1 })
  refused(t, await exchange(stage, second, stolen), 'invalid_request', 'delegation-may-act')
  const malformed = { grant_type: 'client_credentials', resource: api1, may_act: 'second' }
  refused(t, await askForToken(api, first.key, malformed), 'invalid_request', 'spiffe-id-malformed')
})

test('a token is for whom its holder names, and so is each that comes of it', async t => {
  const stage = await begin(t)
  const { second, reader } = stage
  const named = await subjectToken(stage)
  t.deepEqual(decodeJwt(named)['may_act'], { sub: second.clientId })
  const answer = await exchange(stage, second, named)
  t.is(decodeJwt(tokenOf(answer))['may_act'], undefined)
  refused(t, await exchange(stage, reader, named), 'invalid_request', 'delegation-may-act')
  const again = await exchange(stage, reader, tokenOf(answer))
  refused(t, again, 'invalid_request', 'delegation-may-act')
})

test('what is no access token of an agent of this service is not exchanged', async t => {
  const stage = await begin(t)
  const { api, first, second, operator, host } = stage
  const subject = await subjectToken(stage)
  const svid = await call(api, first, 'POST', '/v1/svids/wit')
  t.is((await exchange(stage, second, subject)).status, 200)
  for (const [token, code] of [
    ['x', 'token-malformed'],
    [`${subject.slice(0, -8)}AAAAAAAA`, 'token-signature'],
    [String(svid.json['svid']), 'token-malformed'],
    [await reissue(stage, subject, { iss: 'https://evil.example' }), 'token-issuer'],
    [await reissue(stage, subject, { act: { sub: 'x' } }), 'token-malformed'],
    [operator.token, 'delegation-kind'],
    [host.token, 'delegation-kind'],
  ] as const)
    refused(t, await exchange(stage, second, token), 'invalid_request', code)
  for (const caller of [operator, host])
    refused(t, await exchange(stage, caller, subject), 'unauthorized_client', 'delegation-kind')
  const nobody = await exchange(stage, { key: createTestKey() }, subject)
  t.like(nobody, { status: 401, json: { error: 'invalid_client' } })
})

test('types of tokens that are not known here are refused', async t => {
  const stage = await begin(t)
  const { second } = stage
  const subject = await subjectToken(stage)
  t.is((await exchange(stage, second, subject)).status, 200)
  const idToken = 'urn:ietf:params:oauth:token-type:id_token'
  for (const form of [
    { subject_token_type: idToken },
    { requested_token_type: idToken },
    { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    { actor_token: second.token, actor_token_type: idToken },
    { actor_token: second.token },
    { actor_token_type: accessTokenType },
    { txn: 'mine' },
  ])
    refused(t, await exchange(stage, second, subject, form), 'invalid_request')
  const { key } = second
  const bare = await askForToken(stage.api, key, { grant_type: exchangeGrant })
  refused(t, bare, 'invalid_request')
  const untyped = { grant_type: exchangeGrant, subject_token: subject }
  refused(t, await askForToken(stage.api, key, untyped), 'invalid_request')
})
