import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { jwtSpiffe } from '../../src/core/token/jwt-svid.ts'
import { compactJws, createTestKey, type TestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, postForm, proofOf } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'

const grant = { grant_type: 'client_credentials' }
const tokenCall = { method: 'POST', path: '/oauth/token' } as const

interface Stage {
  readonly api: TestApi
  readonly agent: TestAgent
  readonly other: TestAgent
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const registered = await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
    clientIds: ['reader@other'],
  })
  if (registered.status !== 201) throw new Error(registered.text)
  const agent = await createAgent(api, host, 'reader', { resource: testIssuer })
  const other = await createAgent(api, host, 'reader', { resource: testIssuer })
  return { api, agent, other }
}

async function ask(
  { api }: Stage,
  headers: readonly (readonly [string, string])[],
  form: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return await postForm(api, '/oauth/token', { ...grant, ...form }, headers)
}

async function issued(
  { api, agent }: Stage,
  path: string,
  body: object | undefined,
  member: string,
): Promise<string> {
  const answer = await call(api, agent, 'POST', path, body)
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.json[member])
}

async function attestationOf(stage: Stage, body: object = {}): Promise<string> {
  return await issued(stage, '/v1/client-attestations', body, 'clientAttestation')
}

async function challengeOf({ api }: Stage): Promise<string> {
  const answer = await api.send({ method: 'POST', path: '/oauth/challenge' })
  return String(answer.json['attestation_challenge'])
}

async function popOf(stage: Stage, key: TestKey, changes: object = {}): Promise<string> {
  const claims = {
    aud: testIssuer,
    jti: randomUUID(),
    iat: Math.floor(stage.api.clock.now() / 1000),
    challenge: await challengeOf(stage),
    ...changes,
  }
  return compactJws({ typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }, claims, key)
}

function refused(t: ExecutionContext, answer: TestAnswer, error: string, code?: string): void {
  t.is(answer.json['error'], error, answer.text)
  t.is(answer.json['code'], code, answer.text)
  t.is(answer.status, error === 'invalid_client' ? 401 : 400)
}

test('the challenge endpoint gives a challenge and a nonce that nobody may keep', async t => {
  const { api } = await begin(t)
  const answer = await api.send({ method: 'POST', path: '/oauth/challenge' })
  t.is(answer.status, 200)
  t.deepEqual(Object.keys(answer.json), ['attestation_challenge'])
  t.is(answer.headers['cache-control'], 'no-store')
  t.regex(String(answer.headers['dpop-nonce']), /^[\w-]{22}$/)
  t.not(answer.headers['dpop-nonce'], answer.json['attestation_challenge'])
})

test('a client attestation with one DPoP proof gets a token: one signature of the client', async t => {
  const stage = await begin(t)
  const { api, agent, other } = stage
  const attestation = await attestationOf(stage)
  t.like(decodeProtectedHeader(attestation), { typ: 'oauth-client-attestation+jwt', alg: 'ES256' })
  t.like(decodeJwt(attestation), { sub: agent.clientId, iss: testIssuer })
  const proof = await proofOf(api, agent.key, tokenCall)
  const good = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', proof],
  ])
  t.is(good.status, 200, good.text)
  t.like(decodeJwt(String(good.json['access_token'])), {
    sub: agent.clientId,
    cnf: { jkt: agent.key.jkt },
  })
  const foreign = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', await proofOf(api, other.key, tokenCall)],
  ])
  refused(t, foreign, 'invalid_client_attestation', 'client-attestation-key')
  const old = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', proof],
  ])
  refused(t, old, 'invalid_dpop_proof', 'dpop-replayed')
  const bare = await ask(stage, [['OAuth-Client-Attestation', attestation]])
  refused(t, bare, 'invalid_client_attestation', 'client-attestation-malformed')
  const named = await ask(
    stage,
    [
      ['OAuth-Client-Attestation', attestation],
      ['DPoP', await proofOf(api, agent.key, tokenCall)],
    ],
    { client_id: other.clientId },
  )
  refused(t, named, 'invalid_client')
})

test('a stale nonce in the combined mode is said in DPoP’s words', async t => {
  const stage = await begin(t)
  const attestation = await attestationOf(stage)
  const payload = { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }
  const answer = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', await proofOf(stage.api, stage.agent.key, tokenCall, { payload })],
  ])
  refused(t, answer, 'use_dpop_nonce', 'dpop-nonce')
})

test('in the combined mode the nonce may be the challenge, and without an attestation it may not', async t => {
  const stage = await begin(t)
  const payload = { nonce: await challengeOf(stage) }
  const proof = async (): Promise<string> =>
    await proofOf(stage.api, stage.agent.key, tokenCall, { payload })
  const attestation = await attestationOf(stage)
  const combined = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', await proof()],
  ])
  t.is(combined.status, 200, combined.text)
  refused(t, await ask(stage, [['DPoP', await proof()]]), 'use_dpop_nonce', 'dpop-nonce')
})

test('a client attestation with its own proof gets a token bound to the attested key', async t => {
  const stage = await begin(t)
  const { api, agent, other } = stage
  const attestation = await attestationOf(stage)
  const pair = (pop: string): [string, string][] => [
    ['OAuth-Client-Attestation', attestation],
    ['OAuth-Client-Attestation-PoP', pop],
  ]
  const pop = await popOf(stage, agent.key)
  const good = await ask(stage, pair(pop))
  t.is(good.status, 200, good.text)
  t.like(decodeJwt(String(good.json['access_token'])), { cnf: { jkt: agent.key.jkt } })
  const code = 'invalid_client_attestation'
  refused(t, await ask(stage, pair(pop)), code, 'client-attestation-replayed')
  const wrongKey = pair(await popOf(stage, other.key))
  refused(t, await ask(stage, wrongKey), code, 'client-attestation-signature')
  const elsewhere = pair(await popOf(stage, agent.key, { aud: 'https://b.example' }))
  refused(t, await ask(stage, elsewhere), code, 'client-attestation-audience')
  const stale = await ask(stage, pair(await popOf(stage, agent.key, { challenge: 'old' })))
  refused(t, stale, 'use_attestation_challenge', 'client-attestation-challenge')
  t.is(
    stale.headers['oauth-client-attestation-challenge'] as string | undefined,
    await challengeOf(stage),
  )
  const alone = await ask(stage, [['OAuth-Client-Attestation-PoP', await popOf(stage, agent.key)]])
  refused(t, alone, code, 'client-attestation-malformed')
  const beside = [
    ...pair(await popOf(stage, agent.key)),
    ['DPoP', await proofOf(api, agent.key, tokenCall)],
  ]
  t.is((await ask(stage, beside as [string, string][])).status, 200)
  const mixed = [
    ...pair(await popOf(stage, agent.key)),
    ['DPoP', await proofOf(api, other.key, tokenCall)],
  ]
  refused(t, await ask(stage, mixed as [string, string][]), code, 'client-attestation-key')
})

test('two attestation headers are none, and an old attestation asks for a fresh one', async t => {
  const stage = await begin(t)
  const { api, agent } = stage
  const attestation = await attestationOf(stage)
  const header = ['OAuth-Client-Attestation', attestation] as const
  const twice = await ask(stage, [
    header,
    header,
    ['DPoP', await proofOf(api, agent.key, tokenCall)],
  ])
  refused(t, twice, 'invalid_client_attestation', 'client-attestation-malformed')
  api.clock.advance(3_600_000)
  const old = await ask(stage, [header, ['DPoP', await proofOf(api, agent.key, tokenCall)]])
  refused(t, old, 'use_fresh_attestation', 'client-attestation-expired')
})

test('an attestation for another server does not authenticate here, and nobody is attested as somebody else', async t => {
  const stage = await begin(t)
  const { api, agent, other } = stage
  const attestation = await attestationOf(stage, { clientId: 'reader@other' })
  t.is(decodeJwt(attestation).sub, 'reader@other')
  const here = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', await proofOf(api, agent.key, tokenCall)],
  ])
  refused(t, here, 'invalid_client_attestation', 'client-attestation-key')
  for (const clientId of [other.clientId, 'writer@other']) {
    const answer = await call(api, agent, 'POST', '/v1/client-attestations', { clientId })
    t.like(answer, { status: 403, json: { code: 'client-id-not-permitted' } })
  }
  const operator = await createOperator(api)
  const nobody = await call(api, operator, 'POST', '/v1/client-attestations', {})
  t.is(nobody.status, 403)
})

test('a WIT-SVID is bound to the key, has no audience and no issuer, and authenticates as an attestation does', async t => {
  const stage = await begin(t)
  const { api, agent } = stage
  const svid = await issued(stage, '/v1/svids/wit', undefined, 'svid')
  const header = decodeProtectedHeader(svid)
  t.like(header, { typ: 'wit+jwt', alg: 'ES256' })
  t.truthy(header.kid)
  const claims = decodeJwt(svid)
  t.like(claims, { sub: agent.clientId, cnf: { jwk: { ...agent.key.jwk, alg: 'ES256' } } })
  t.false('aud' in claims || 'iss' in claims)
  const bundle = await api.send({ method: 'GET', path: '/v1/bundle' })
  const keys = bundle.json['keys'] as { use: string; kid?: string }[]
  t.is(keys.filter(({ use, kid }) => use === 'wit-svid' && kid === header.kid).length, 1)
  const good = await ask(stage, [
    ['OAuth-Client-Attestation', svid],
    ['DPoP', await proofOf(api, agent.key, tokenCall)],
  ])
  t.is(good.status, 200, good.text)
  const bearer = await ask(stage, [['Authorization', `Bearer ${svid}`]])
  refused(t, bearer, 'invalid_dpop_proof', 'dpop-missing')
})

test('a JWT-SVID for this issuer authenticates its subject beside a proof by its key, and alone nobody', async t => {
  const stage = await begin(t)
  const { api, agent, other } = stage
  const svid = await issued(stage, '/v1/svids/jwt', { audience: testIssuer }, 'svid')
  t.deepEqual(Object.keys(decodeProtectedHeader(svid)).toSorted(), ['alg', 'kid', 'typ'])
  t.like(decodeJwt(svid), { sub: agent.clientId, aud: [testIssuer] })
  const form = { client_assertion_type: jwtSpiffe, client_assertion: svid }
  refused(t, await ask(stage, [], form), 'invalid_dpop_proof', 'dpop-missing')
  const good = await ask(stage, [['DPoP', await proofOf(api, agent.key, tokenCall)]], form)
  t.is(good.status, 200, good.text)
  t.like(decodeJwt(String(good.json['access_token'])), {
    sub: agent.clientId,
    cnf: { jkt: agent.key.jkt },
  })
  const foreign = await ask(stage, [['DPoP', await proofOf(api, other.key, tokenCall)]], form)
  refused(t, foreign, 'invalid_dpop_proof', 'dpop-key')
  const elsewhere = await issued(
    stage,
    '/v1/svids/jwt',
    { audience: 'https://api.example/' },
    'svid',
  )
  const wrong = await ask(stage, [], { ...form, client_assertion: elsewhere })
  refused(t, wrong, 'invalid_client', 'svid-audience')
  const token = await ask(stage, [], { ...form, client_assertion: agent.token })
  refused(t, token, 'invalid_client', 'svid-malformed')
  const self = compactJws(
    { alg: 'ES256', typ: 'JWT', kid: decodeProtectedHeader(svid).kid },
    decodeJwt(svid),
    createTestKey(),
  )
  refused(
    t,
    await ask(stage, [], { ...form, client_assertion: self }),
    'invalid_client',
    'svid-signature',
  )
  const both = await ask(stage, [['OAuth-Client-Attestation', svid]], form)
  refused(t, both, 'invalid_request')
  const refusedAudience = await call(api, agent, 'POST', '/v1/svids/jwt', {
    audience: 'https://evil.example/',
  })
  t.like(refusedAudience, { status: 403, json: { code: 'audience-not-permitted' } })
  api.clock.advance(301_000)
  refused(t, await ask(stage, [], form), 'invalid_client', 'svid-expired')
})

test('what was issued is in the log, without its text', async t => {
  const stage = await begin(t)
  const svid = await issued(stage, '/v1/svids/jwt', { audience: testIssuer }, 'svid')
  await issued(stage, '/v1/svids/wit', undefined, 'svid')
  await attestationOf(stage)
  const lines = await verifyTestLog(stage.api.service)
  for (const type of ['jwt-svid.issued', 'wit-svid.issued', 'client-attestation.issued'])
    t.is(lines.filter(line => line.type === type && line.actor === stage.agent.clientId).length, 1)
  t.false(JSON.stringify(lines).includes(svid))
})

test('a revoked agent gets none of them, and those it has authenticate nobody', async t => {
  const stage = await begin(t)
  const { api, agent } = stage
  const attestation = await attestationOf(stage)
  const svid = await issued(stage, '/v1/svids/jwt', { audience: testIssuer }, 'svid')
  const operator = await createOperator(api)
  await call(api, operator, 'POST', `/v1/agents/${agent.id}/revoke`, { reason: 'gone' })
  t.not((await call(api, agent, 'POST', '/v1/svids/wit')).status, 200)
  const proof = await proofOf(api, agent.key, tokenCall)
  const combined = await ask(stage, [
    ['OAuth-Client-Attestation', attestation],
    ['DPoP', proof],
  ])
  t.not(combined.status, 200)
  const form = { client_assertion_type: jwtSpiffe, client_assertion: svid }
  t.not((await ask(stage, [], form)).status, 200)
  await t.throwsAsync(fetchToken(api, agent.key))
})
