import { request as sendRequest } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { assertProblem } from '../support/assert-problem.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, postForm, proofOf, type TestCaller } from '../support/test-caller.ts'

const classes = '/v1/classes'
const reader = {
  name: 'reader',
  audiences: ['https://api.example/'],
  scopes: ['read'],
  hosts: ['*'],
  tokenLifetimeSeconds: 120,
}

function assertShortProblem(...refusal: Parameters<typeof assertProblem>): void {
  const [t, answer] = refusal
  assertProblem(...refusal)
  t.true(answer.text.length < 2_000, 'no refusal sends much back')
}

interface Prepared {
  readonly api: TestApi
  readonly operator: TestCaller
  /** Registers a class with any body, as the operator. */
  readonly post: (
    body: string | Uint8Array,
    type?: string,
    chunked?: boolean,
  ) => Promise<TestAnswer>
}

async function begin(t: ExecutionContext): Promise<Prepared> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  return {
    api,
    operator,
    post: async (body, type = 'application/json', chunked = false) => {
      const { token } = operator
      const proof = await proofOf(api, operator.key, { method: 'POST', path: classes, token })
      return await api.send({
        method: 'POST',
        path: classes,
        headers: [
          ['Authorization', `DPoP ${token}`],
          ['DPoP', proof],
          ['Content-Type', type],
        ],
        body,
        chunked,
      })
    },
  }
}

test('a well-formed body is read, with or without a length before it', async t => {
  const { post } = await begin(t)
  t.is((await post(JSON.stringify(reader))).status, 201)
  const second = JSON.stringify({ ...reader, name: 'second' })
  t.is((await post(second, 'application/json; charset=utf-8', true)).status, 201)
})

test('a body that is too large is refused, before it is read where its length is said', async t => {
  const { post, api, operator } = await begin(t)
  const large = JSON.stringify({ ...reader, scopes: ['x'.repeat(64 * 1024)] })
  const whole = await post(large)
  assertShortProblem(t, whole, 413, 'body-too-large')
  t.is(whole.headers.connection, 'close')
  assertShortProblem(t, await post(large, 'application/json', true), 413, 'body-too-large')
  assertShortProblem(
    t,
    await post(large.repeat(40), 'application/json', true),
    413,
    'body-too-large',
  )
  t.is((await call(api, operator, 'GET', classes)).status, 200)
})

test('a body of another type, of none, or of two is refused', async t => {
  const { post, api } = await begin(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
    assertShortProblem(t, await post(JSON.stringify(reader), type), 415, 'body-type')
  const json = ['Content-Type', 'application/json'] as const
  const twice = await api.send({
    method: 'POST',
    path: '/v1/enrollments',
    headers: [json, json],
    body: '{}',
  })
  assertShortProblem(t, twice, 415, 'body-type')
})

const malformed: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['JSON with something behind it', '{} {}'],
  ['a byte order mark', '\uFEFF{}'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ['a hundred thousand brackets', '['.repeat(60_000)],
  ['deep nesting that is well-formed', `${'['.repeat(17)}${']'.repeat(17)}`],
  ['a number that is none', '{"a":NaN}'],
]

test('a body that is no JSON of a reasonable depth is refused', async t => {
  const { post } = await begin(t)
  for (const [name, body] of malformed) {
    const answer = await post(body)
    t.is(answer.json['code'], 'body-malformed', name)
    assertShortProblem(t, answer, 400, 'body-malformed')
  }
})

const wrong: readonly (readonly [string, unknown])[] = [
  ['a list', []],
  ['a text', 'x'],
  ['null', null],
  ['a member too few', { ...reader, name: undefined }],
  ['a member too many', { ...reader, admin: true }],
  ['a member of the prototype', JSON.parse(`{"__proto__":{"admin":true},"name":"x"}`)],
  ['a member with an endless name', { ...reader, ['x'.repeat(30_000)]: 1 }],
  ['a name with a slash', { ...reader, name: 'a/b' }],
  ['a name of dots', { ...reader, name: '..' }],
  ['an endless name', { ...reader, name: 'a'.repeat(64) }],
  ['an audience that is no URL', { ...reader, audiences: ['api'] }],
  ['an audience with a fragment', { ...reader, audiences: ['https://api.example/#x'] }],
  ['an audience with a space', { ...reader, audiences: ['https://api.example/a b'] }],
  ['an audience with a control', { ...reader, audiences: ['https://api.example/\u0000'] }],
  ['an audience in other letters', { ...reader, audiences: ['https://api.example/ö'] }],
  ['an audience with half a letter', { ...reader, audiences: ['https://api.example/\uD800'] }],
  ['no audience', { ...reader, audiences: [] }],
  ['a scope with a space', { ...reader, scopes: ['a b'] }],
  ['a scope with a quotation mark', { ...reader, scopes: ['a"b'] }],
  ['a lifetime of a day', { ...reader, tokenLifetimeSeconds: 86_400 }],
  ['a lifetime of a fraction', { ...reader, tokenLifetimeSeconds: 60.5 }],
  ['a lifetime that is a text', { ...reader, tokenLifetimeSeconds: '60' }],
]

test('a body of another form is refused, and the member is named', async t => {
  const { post } = await begin(t)
  for (const [name, body] of wrong) {
    const answer = await post(JSON.stringify(body))
    t.is(answer.json['code'], 'request-malformed', name)
    assertShortProblem(t, answer, 400, 'request-malformed')
    t.truthy(answer.json['found'], name)
  }
})

test('a body whose entry in the log would be too long changes nothing', async t => {
  const { api, operator } = await begin(t)
  const long = {
    ...reader,
    audiences: Array.from({ length: 32 }, (_, i) => `https://a.example/${'x'.repeat(1_990)}${i}`),
  }
  const answer = await call(api, operator, 'POST', classes, long)
  t.true([201, 400].includes(answer.status), answer.text)
  const listed = (await call(api, operator, 'GET', classes)).json['classes'] as unknown[]
  t.is(listed.length, answer.status === 201 ? 1 : 0)
})

test('a request that breaks off in its body harms nobody', async t => {
  const { api, operator } = await begin(t)
  await breakOff(api)
  t.is((await call(api, operator, 'GET', classes)).status, 200)
  t.false(api.reports.some(({ message }) => message === 'unexpected failure'))
})

async function breakOff(api: TestApi): Promise<void> {
  await new Promise<void>(resolve => {
    const request = sendRequest({
      port: api.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/enrollments',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 1000 },
    })
    request.on('error', () => undefined)
    request.on('close', resolve)
    request.write('{"name":', () => setTimeout(() => request.destroy(), 50))
  })
}

test('an address that there is not is 404, whatever the method', async t => {
  const { api } = await begin(t)
  const paths = [
    '/',
    '/v1',
    '/v1/host',
    '/v1/hosts/',
    '/V1/hosts',
    '/healthz/',
    '/v1/hosts/a/b',
    '/oauth/tokens',
    '/audit/tile/',
    '//healthz',
    '/healthz%2f',
  ]
  for (const path of paths)
    for (const method of ['GET', 'POST', 'DELETE'])
      assertShortProblem(t, await api.send({ method, path }), 404, 'not-found')
})

test('a method that an address does not take is 405, and those that it takes are named', async t => {
  const { api } = await begin(t)
  for (const [method, path, allow] of [
    ['DELETE', '/v1/hosts', 'GET'],
    ['PUT', '/v1/classes', 'GET, POST'],
    ['GET', '/v1/enrollments', 'POST'],
    ['GET', '/oauth/token', 'POST'],
    ['PATCH', '/v1/hosts/abc', 'GET'],
    ['OPTIONS', '/v1/hosts/abc/revoke', 'POST'],
    ['POST', '/healthz', 'GET'],
  ] as const) {
    const answer = await api.send({ method, path })
    assertShortProblem(t, answer, 405, 'method-not-allowed')
    t.is(answer.headers.allow, allow)
  }
})

test('HEAD is answered as GET is, without the body', async t => {
  const { api } = await begin(t)
  const answer = await api.send({ method: 'HEAD', path: '/healthz' })
  t.like(answer, { status: 200, text: '' })
})

test('an identifier in the path is one of this service’s, or nothing is there', async t => {
  const { api, operator } = await begin(t)
  for (const id of ['a b', 'a.b', '%E0%A4%A', 'x'.repeat(65), '%00', "a'--"]) {
    const answer = await call(api, operator, 'GET', `/v1/hosts/${id.replaceAll(' ', '%20')}`)
    t.is(answer.status, 404, answer.text)
    t.true(answer.text.length < 1_000)
  }
})

test('every answer forbids storing and sniffing, and asks for TLS from now on', async t => {
  const { api } = await begin(t)
  for (const path of ['/healthz', '/nowhere', '/v1/hosts']) {
    const { headers } = await api.send({ method: 'GET', path })
    t.is(headers['cache-control'], 'no-store')
    t.is(headers['x-content-type-options'], 'nosniff')
    t.regex(String(headers['strict-transport-security']), /^max-age=\d{8,}$/)
  }
})

test('a form with a parameter twice, or that is too large, or no form at all, is refused in OAuth’s words', async t => {
  const { api } = await begin(t)
  for (const [body, status, code] of [
    ['grant_type=a&grant_type=b', 400, 'body-malformed'],
    [`x=${'y'.repeat(16 * 1024)}`, 413, 'body-too-large'],
  ] as const) {
    const answer = await postForm(api, '/oauth/token', body)
    t.like(answer, { status, type: 'application/json' })
    t.like(answer.json, { error: 'invalid_request', code })
  }
  const json = await api.send({
    method: 'POST',
    path: '/oauth/token',
    headers: [['Content-Type', 'application/json']],
    body: '{}',
  })
  t.is(json.status, 415)
  t.like(json.json, { error: 'invalid_request', code: 'body-type' })
})

test('parameters named like members of every object are parameters like others', async t => {
  const { api } = await begin(t)
  const answer = await postForm(
    api,
    '/oauth/token',
    '__proto__=x&constructor=y&toString=z&grant_type=client_credentials',
  )
  t.is(answer.json['error'], 'invalid_dpop_proof')
})

test('what is refused is reported once, by its code; secrets are not', async t => {
  const { api, post } = await begin(t)
  api.reports.length = 0
  await post('{')
  await postForm(api, '/oauth/token', { grant_type: 'client_credentials' })
  t.deepEqual(
    api.reports.map(({ level, facts }) => [level, facts['code'], facts['status']]),
    [
      ['info', 'body-malformed', 400],
      ['info', 'dpop-missing', 400],
    ],
  )
})

test('a failure of ours tells the caller an instance to ask for, and nothing else', async t => {
  const { api } = await begin(t)
  api.service.store.ping = () => Promise.reject(new Error('secret path /var/lib/x'))
  api.clock.advance(5_000)
  const answer = await api.send({ method: 'GET', path: '/readyz' })
  assertShortProblem(t, answer, 500, 'internal-error')
  t.false(answer.text.includes('secret'))
  const report = api.reports.find(({ message }) => message === 'unexpected failure')
  t.is(report?.level, 'error')
  t.is(answer.json['instance'], `urn:assay:request:${String(report?.facts['requestId'])}`)
})
