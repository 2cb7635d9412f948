import test from 'ava'
import { decodeJwt } from 'jose'
import type { AccessTokenClaims } from '../../src/core/token/access-token.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { starterPolicies } from '../support/test-policies.ts'
import { admitManufacturer, createAgent, enrollHost } from '../support/test-host.ts'
import {
  begin,
  exchange,
  introspect,
  refused,
  reissue,
  subjectToken,
  takeBack,
  tokenOf,
} from './exchange-stage.ts'

test('a chain has four actors at most', async t => {
  const stage = await begin(t)
  const { first, second } = stage
  let token = await subjectToken(stage)
  for (const [actor, next] of [
    [second, first],
    [first, second],
    [second, first],
    [first, second],
  ] as const)
    token = tokenOf(await exchange(stage, actor, token, { may_act: next.clientId }))
  t.is((await introspect(stage, token))['active'], true)
  refused(t, await exchange(stage, second, token), 'invalid_request', 'delegation-depth')
})

test('a token dies with each token of its chain, and a dead one is not exchanged', async t => {
  const stage = await begin(t)
  const { first, second, reader } = stage
  const [subject, beside] = [await subjectToken(stage), await subjectToken(stage, {}, reader)]
  const once = tokenOf(await exchange(stage, second, subject, { may_act: reader.clientId }))
  const twice = tokenOf(await exchange(stage, reader, once))
  const other = tokenOf(await exchange(stage, reader, beside, { may_act: second.clientId }))
  await takeBack(stage, first, subject)
  for (const token of [subject, once, twice]) {
    t.deepEqual(await introspect(stage, token), { active: false })
    refused(t, await exchange(stage, second, token), 'invalid_request', 'token-inactive')
  }
  t.is((await introspect(stage, other))['active'], true)
  t.is((await exchange(stage, second, other)).status, 200)
})

for (const link of ['first', 'second'] as const) {
  test(`a token dies with the ${link} agent of its chain`, async t => {
    const stage = await begin(t)
    const { api, operator, reader } = stage
    const left = { may_act: reader.clientId }
    const once = tokenOf(await exchange(stage, stage.second, await subjectToken(stage), left))
    const twice = tokenOf(await exchange(stage, reader, once))
    t.is((await introspect(stage, twice))['active'], true)
    const path = `/v1/agents/${stage[link].id}/revoke`
    const revoked = await call(api, operator, 'POST', path, { reason: 'gone' })
    t.is(revoked.status, 200, revoked.text)
    t.deepEqual(await introspect(stage, twice), { active: false })
    const again = await exchange(stage, reader, once)
    refused(t, again, 'invalid_request', 'token-inactive')
  })
}

test('a token dies with the host of who asked first, though its holder is on another', async t => {
  const stage = await begin(t)
  const { api, operator, host } = stage
  const elsewhere = await enrollHost(api, await admitManufacturer(api), { name: 'host-2' })
  const actor = await createAgent(api, elsewhere, 'writer')
  const subject = await subjectToken(stage, {}, actor)
  const token = tokenOf(await exchange(stage, actor, subject))
  t.is((await introspect(stage, token))['active'], true)
  const path = `/v1/hosts/${host.id}/revoke`
  const revoked = await call(api, operator, 'POST', path, { reason: 'stolen' })
  t.is(revoked.status, 200, revoked.text)
  t.deepEqual(await introspect(stage, token), { active: false })
  refused(t, await exchange(stage, actor, subject), 'invalid_request', 'token-inactive')
  refused(t, await exchange(stage, actor, token), 'invalid_request', 'token-inactive')
})

test('each hop is decided by the policies, which see for whom and through whom', async t => {
  const stage = await begin(t)
  const { api, operator, first, second, reader } = stage
  const forbid = `@id("one-hop") forbid (principal, action == Action::"exchangeToken", resource)
    when { context.delegation.depth > 1 };`
  await establishSet(api, operator, `${starterPolicies}\n${forbid}`)
  const subject = await subjectToken(stage)
  const once = tokenOf(await exchange(stage, second, subject, { may_act: reader.clientId }))
  const denied = await exchange(stage, reader, once)
  refused(t, denied, 'access_denied', 'authorization-denied')
  const lines = await verifyTestLog(api.service)
  const line = lines.find(({ type }) => type === 'authorization.denied')
  t.like(line?.detail, {
    policies: ['one-hop'],
    txn: decodeJwt(subject)['txn'],
    input: {
      action: 'exchangeToken',
      context: {
        delegation: {
          depth: 2,
          initiator: first.clientId,
          actors: [reader.clientId, second.clientId],
        },
      },
    },
  })
})

test('without a policy that permits exchanges there are none, while tokens are issued', async t => {
  const stage = await begin(t)
  const { api, operator, second } = stage
  const before = await subjectToken(stage)
  t.is((await exchange(stage, second, before)).status, 200)
  await establishSet(api, operator, starterPolicies.replaceAll(', Action::"exchangeToken"', ''))
  const subject = await subjectToken(stage)
  const denied = await exchange(stage, second, subject)
  refused(t, denied, 'access_denied', 'authorization-denied')
})

test('of a hundred exchanges beside the revocation of the parent, none counts afterwards', async t => {
  const stage = await begin(t)
  const { first, second } = stage
  const subject = await subjectToken(stage)
  const attempts = Array.from({ length: 100 }, async (_, at) => {
    if (at === 50) await takeBack(stage, first, subject)
    return await exchange(stage, second, subject)
  })
  const answers = await Promise.all(attempts)
  for (const answer of answers) {
    if (answer.status === 200)
      t.deepEqual(await introspect(stage, tokenOf(answer)), { active: false })
    else refused(t, answer, 'invalid_request', 'token-inactive')
  }
  const lines = await verifyTestLog(stage.api.service)
  const types = lines.map(({ type }) => type)
  t.true(types.lastIndexOf('token.exchanged') < types.indexOf('token.revoked'))
})

test('a token that was passed on is of no use at the service’s own API', async t => {
  const stage = await begin(t)
  const { api, first, second } = stage
  const { key } = second
  t.is((await call(api, second, 'POST', '/v1/svids/wit')).status, 200)
  const { jti } = decodeJwt<AccessTokenClaims>(first.token)
  const token = await reissue(stage, second.token, {
    act: { sub: second.clientId },
    parents: [{ client_id: first.clientId, jti, cnf: { jkt: first.key.jkt } }],
  })
  const answer = await call(api, { key, token }, 'POST', '/v1/svids/wit')
  t.like(answer, { status: 403, json: { code: 'delegation-own-api' } })
})
