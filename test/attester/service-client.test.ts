import test from 'ava'
import { RemoteError } from '../../src/attester/remote-error.ts'
import { verifyDpopProof } from '../../src/core/token/dpop-proof.ts'
import { ProofKeys } from '../../src/core/token/proof-key.ts'
import { countingKey } from './counting-key.ts'
import type { Answer, SeenRequest } from './local-service.ts'
import { clientOf, start } from './service-client-fixtures.ts'

const token = { access_token: 'a.b.c', token_type: 'DPoP', expires_in: 300, scope: 'hosts:read' }

/** Answers as the service's token endpoint does: no proof, no token; a proof without this nonce, the nonce. */
function tokenAnswer(request: SeenRequest, nonce = 'n-1', answer: object = token): Answer {
  const headers = { 'DPoP-Nonce': nonce }
  const { dpop } = request.headers
  if (typeof dpop !== 'string') return { status: 400, headers, body: { error: 'invalid_request' } }
  const claims = claimsOf(dpop)
  return claims['nonce'] === nonce
    ? { headers, body: answer }
    : { status: 400, headers, body: { error: 'use_dpop_nonce', code: 'dpop-nonce' } }
}

function claimsOf(proof: string): Record<string, unknown> {
  const [, payload = ''] = proof.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
}

test('a token costs one signature: the nonce is asked for without a proof', async t => {
  const key = countingKey()
  const service = await start(t, { answer: request => tokenAnswer(request) })
  const client = clientOf(t, service, { key })
  const answer = await client.token({ resource: 'https://api.example/', scope: 'read write' })
  t.deepEqual(answer, token)
  t.is(key.signatures(), 1)
  const last = service.seen.at(-1)
  const form = new URLSearchParams(last?.body)
  t.is(form.get('grant_type'), 'client_credentials')
  t.is(form.get('resource'), 'https://api.example/')
  t.is(form.get('scope'), 'read write')
  await client.token()
  t.is(key.signatures(), 2)
})

test('a proof verifies as the service verifies it: key, method, address, time, nonce', async t => {
  const key = countingKey()
  const service = await start(t, { answer: request => tokenAnswer(request) })
  await clientOf(t, service, { key }).token()
  const dpop = String(service.seen.at(-1)?.headers['dpop'])
  const proof = verifyDpopProof(dpop, new ProofKeys(1), {
    method: 'POST',
    url: `${service.issuer}/oauth/token`,
    now: Date.now(),
    isNonce: nonce => nonce === 'n-1',
  })
  t.is(proof.key.jkt, key.jkt)
})

test('a nonce that is over is replaced once, and a second time is a refusal', async t => {
  let nonce = 1
  const ageing = await start(t, {
    answer: request => {
      const { dpop } = request.headers
      if (typeof dpop === 'string' && nonce < 3) nonce += 1
      return tokenAnswer(request, `n-${nonce}`)
    },
  })
  const key = countingKey()
  const client = clientOf(t, ageing, { key })
  const error = await t.throwsAsync(client.token(), { instanceOf: RemoteError })
  t.is(error.code, 'dpop-nonce')
  t.is(key.signatures(), 2)
  t.deepEqual(await client.token(), token)
  t.is(key.signatures(), 3)
})

/** A service of which one API address answers. */
function apiAnswer(api: (request: SeenRequest) => Answer): (request: SeenRequest) => Answer {
  return request => (request.path === '/oauth/token' ? tokenAnswer(request) : api(request))
}

test('a call carries the token and a proof bound to it, for the address without query', async t => {
  const key = countingKey()
  const service = await start(t, { answer: apiAnswer(() => ({ body: { hosts: [] } })) })
  const client = clientOf(t, service, { key })
  t.deepEqual(await client.call('GET', '/v1/hosts?status=active'), { hosts: [] })
  const last = service.seen.at(-1)
  t.is(last?.path, '/v1/hosts?status=active')
  t.is(last?.headers.authorization, 'DPoP a.b.c')
  const proof = verifyDpopProof(String(last?.headers['dpop']), new ProofKeys(1), {
    method: 'GET',
    url: `${service.issuer}/v1/hosts`,
    now: Date.now(),
    accessToken: 'a.b.c',
  })
  t.is(proof.key.jkt, key.jkt)
  const form = new URLSearchParams(service.seen.findLast(row => row.path === '/oauth/token')?.body)
  t.is(form.get('resource'), service.issuer)
})

test('a token is kept until half a minute before its end', async t => {
  let now = Date.now()
  const service = await start(t, { answer: apiAnswer(() => ({})) })
  const client = clientOf(t, service, { key: countingKey(), clock: { now: () => now } })
  const tokens = (): number =>
    service.seen.filter(row => row.headers['dpop'] !== undefined && row.path === '/oauth/token')
      .length
  await client.call('GET', '/v1/hosts')
  now += 269_000
  await client.call('GET', '/v1/hosts')
  t.is(tokens(), 1)
  now += 2_000
  await client.call('GET', '/v1/hosts')
  t.is(tokens(), 2)
})

test('a hundred calls at once fetch one token, and each has a proof of its own', async t => {
  const service = await start(t, { answer: apiAnswer(() => ({})) })
  const client = clientOf(t, service, { key: countingKey() })
  const call = async (): Promise<unknown> => await client.call('GET', '/v1/hosts')
  await Promise.all(Array.from({ length: 100 }, call))
  const proofs = service.seen
    .filter(({ path }) => path === '/v1/hosts')
    .map(row => claimsOf(String(row.headers['dpop']))['jti'])
  t.is(new Set(proofs).size, 100)
  const withProof = service.seen.filter(
    row => row.path === '/oauth/token' && row.headers['dpop'] !== undefined,
  )
  t.is(withProof.length, 1)
})

test('a hundred calls that find the token at its end renew it once', async t => {
  let now = Date.now()
  const service = await start(t, { answer: apiAnswer(() => ({})) })
  const client = clientOf(t, service, { key: countingKey(), clock: { now: () => now } })
  await client.call('GET', '/v1/hosts')
  now += 271_000
  const call = async (): Promise<unknown> => await client.call('GET', '/v1/hosts')
  await Promise.all(Array.from({ length: 100 }, call))
  const withProof = service.seen.filter(
    row => row.path === '/oauth/token' && row.headers['dpop'] !== undefined,
  )
  t.is(withProof.length, 2)
})

test('a call after a failed fetch of the token fetches anew', async t => {
  let isDown = true
  const service = await start(t, {
    answer: request => {
      if (request.path !== '/oauth/token') return {}
      return isDown ? { status: 503, body: { code: 'store-unavailable' } } : tokenAnswer(request)
    },
  })
  const client = clientOf(t, service, { key: countingKey() })
  await t.throwsAsync(client.call('GET', '/v1/hosts'), { code: 'store-unavailable' })
  isDown = false
  await t.notThrowsAsync(client.call('GET', '/v1/hosts'))
})

test('a token that the service does not take any more is not offered again', async t => {
  let refusals = 1
  const answer = apiAnswer(() => {
    refusals -= 1
    return refusals < 0 ? {} : { status: 401, body: { code: 'token-expired', title: 'Over.' } }
  })
  const service = await start(t, { answer })
  const client = clientOf(t, service, { key: countingKey() })
  await t.throwsAsync(client.call('GET', '/v1/hosts'), { code: 'token-expired' })
  await t.notThrowsAsync(client.call('GET', '/v1/hosts'))
  const withProof = service.seen.filter(
    row => row.path === '/oauth/token' && row.headers['dpop'] !== undefined,
  )
  t.is(withProof.length, 2)
})

test('an API that asks for its nonce gets it, once', async t => {
  const answer = apiAnswer(request =>
    claimsOf(String(request.headers['dpop']))['nonce'] === 'api-1'
      ? { body: { ok: true } }
      : {
          status: 401,
          headers: { 'DPoP-Nonce': 'api-1', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' },
        },
  )
  const service = await start(t, { answer })
  const client = clientOf(t, service, { key: countingKey() })
  t.deepEqual(await client.call('GET', '/v1/hosts'), { ok: true })
})

test('a token that is not bound to the key is not used', async t => {
  const answers = [
    { ...token, token_type: 'Bearer' },
    { ...token, access_token: 'a\r\nX: y' },
    { ...token, access_token: 7 },
    { ...token, expires_in: '300' },
    {},
  ]
  for (const answer of answers) {
    const service = await start(t, { answer: request => tokenAnswer(request, 'n', answer) })
    const client = clientOf(t, service, { key: countingKey() })
    await t.throwsAsync(client.token(), { code: 'service-answer' }, JSON.stringify(answer))
  }
})

test('a client without a key calls nothing that needs one', async t => {
  const service = await start(t)
  const client = clientOf(t, service)
  await t.throwsAsync(client.call('GET', '/v1/hosts'), { code: 'key-absent' })
  await t.throwsAsync(client.token(), { code: 'key-absent' })
  t.false(service.seen.some(({ path }) => path === '/v1/hosts'))
})

test('a refusal has the code, words, facts and checks of the service', async t => {
  const check = { code: 'ek-chain', outcome: 'fail', source: 'RFC 5280 §6.1', found: 'x', more: 1 }
  const body = {
    type: 'urn:assay:error:ek-chain',
    title: 'No anchor.',
    code: 'ek-chain',
    hint: 'Add one.',
    source: 'RFC 5280 §6.1',
    expected: 'an anchor',
    found: 'none',
    instance: 'urn:assay:request:1',
    checks: [check, 'nothing', { code: 1 }],
  }
  const service = await start(t, { answer: () => ({ status: 403, body }) })
  const attempt = clientOf(t, service).request('POST', '/v1/enrollments', {})
  const error = await t.throwsAsync(attempt, { instanceOf: RemoteError })
  t.is(error.status, 403)
  t.is(error.code, 'ek-chain')
  t.is(error.message, 'No anchor.')
  t.is(error.hint, 'Add one.')
  t.is(error.expected, 'an anchor')
  t.is(error.found, 'none')
  t.is(error.source, 'RFC 5280 §6.1')
  t.is(error.instance, 'urn:assay:request:1')
  const { more: _more, ...shown } = check
  t.deepEqual(error.checks, [shown])
  t.deepEqual(error.document, body)
})

test('a refusal cannot write to the terminal', async t => {
  const body = { code: 'x\u001B[2J', title: 'a\u0007\u009Bb\u202Ec', hint: 'd\ne' }
  const service = await start(t, { answer: () => ({ status: 400, body }) })
  const error = await t.throwsAsync(clientOf(t, service).request('GET', '/x'), {
    instanceOf: RemoteError,
  })
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  t.notRegex(`${error.code}${error.message}${error.hint}`, /[\u0000-\u001F\u007F-\u009F\u202E]/)
})

for (const [what, body] of [
  ['nothing', ''],
  ['a page', '<html>'],
  ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
] as const) {
  test(`an answer that is ${what} is refused, whatever its status`, async t => {
    for (const status of [200, 500]) {
      const service = await start(t, { answer: () => ({ status, body }) })
      await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-answer' })
    }
  })
}

test('an answer longer than any of the service is not held', async t => {
  const service = await start(t, { answer: () => ({ body: Buffer.alloc(33 * 1024 * 1024, 0x20) }) })
  await t.throwsAsync(clientOf(t, service).readRaw('/audit/checkpoint'), { code: 'service-answer' })
})

test('a redirect is not followed', async t => {
  const service = await start(t, {
    answer: () => ({ status: 302, headers: { Location: 'https://elsewhere.example/' } }),
  })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { instanceOf: RemoteError })
  t.is(service.seen.length, 1)
})

test('what is not there is undefined where bytes were asked for', async t => {
  const service = await start(t, {
    answer: ({ path }) => (path === '/there' ? { body: 'bytes' } : { status: 404 }),
  })
  const client = clientOf(t, service)
  t.is(await client.readRaw('/absent'), undefined)
  t.is(Buffer.from((await client.readRaw('/there')) ?? []).toString('utf8'), 'bytes')
})

test('a path that begins with two slashes still goes to the service', async t => {
  const service = await start(t)
  await clientOf(t, service).request('GET', '//elsewhere.example/x')
  t.is(service.seen.at(-1)?.path, '//elsewhere.example/x')
})
