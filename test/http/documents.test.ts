import { createPublicKey, X509Certificate } from 'node:crypto'
import test from 'ava'
import { endpoints } from '../../src/http/app.ts'
import { verifyLog } from '../../src/core/log/verify-log.ts'
import { parseVerifierKey } from '../../src/core/log/note-key.ts'
import { StoreError } from '../../src/ports/store-error.ts'
import { apiScopes } from '../../src/core/token/scope.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import { testIssuer } from '../support/test-service.ts'

type Json = Record<string, unknown>

async function get(api: TestApi, path: string): ReturnType<TestApi['send']> {
  return await api.send({ method: 'GET', path })
}

test('the process says that it lives, and that it can write', async t => {
  const api = await startTestApi(t)
  t.like(await get(api, '/healthz'), { status: 200, json: { status: 'ok' } })
  t.like(await get(api, '/readyz'), { status: 200, json: { status: 'ready' } })
})

test('a service that cannot write says so, and lives', async t => {
  const api = await startTestApi(t)
  api.service.store.ping = () => Promise.reject(new StoreError('store-unavailable'))
  const answer = await get(api, '/readyz')
  t.is(answer.status, 503)
  t.is(answer.json['code'], 'store-unavailable')
  t.is(answer.headers['retry-after'], '1')
  t.is((await get(api, '/healthz')).status, 200)
  t.is(api.reports.at(-1)?.level, 'error')
})

test('however many ask whether it is ready, the store is asked once a second', async t => {
  const api = await startTestApi(t)
  const { store } = api.service
  const ping = store.ping.bind(store)
  let asked = 0
  store.ping = async () => {
    asked += 1
    await ping()
  }
  await Promise.all(Array.from({ length: 100 }, () => get(api, '/readyz')))
  t.is(asked, 1)
  api.clock.advance(1_000)
  await get(api, '/readyz')
  t.is(asked, 2)
})

test('the key set verifies tokens and holds nothing private', async t => {
  const api = await startTestApi(t)
  const { json, headers } = await get(api, '/oauth/jwks')
  const [key] = json['keys'] as [Json]
  t.like(key, {
    kty: 'EC',
    crv: 'P-256',
    alg: 'ES256',
    use: 'sig',
    kid: api.service.tokenKeys.current.kid,
  })
  t.false('d' in key)
  t.true(createPublicKey({ key, format: 'jwk' }).equals(api.service.tokenKeys.current.key))
  t.is(headers['cache-control'], 'public, max-age=60')
})

test('the metadata says what the service does, under the name that clients know it by', async t => {
  const api = await startTestApi(t)
  const { json, status } = await get(api, '/.well-known/oauth-authorization-server')
  t.is(status, 200)
  t.like(json, {
    issuer: testIssuer,
    token_endpoint: `${testIssuer}/oauth/token`,
    jwks_uri: `${testIssuer}/oauth/jwks`,
    introspection_endpoint: `${testIssuer}/oauth/introspect`,
    grant_types_supported: [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ],
    tls_client_certificate_bound_access_tokens: true,
    scopes_supported: apiScopes,
  })
  for (const name of [
    'token_endpoint',
    'jwks_uri',
    'introspection_endpoint',
    'service_documentation',
  ]) {
    const path = String(json[name]).slice(testIssuer.length)
    t.not((await get(api, path)).status, 404, path)
  }
  t.true((json['token_endpoint_auth_methods_supported'] as string[]).includes('private_key_jwt'))
  t.false(JSON.stringify(json).includes('client_secret'))
})

test('the bundle holds the root, as SPIFFE writes it', async t => {
  const api = await startTestApi(t)
  const { json } = await get(api, '/v1/bundle')
  const [key] = json['keys'] as [Json & { x5c: string[] }]
  t.is(key['use'], 'x509-svid')
  const root = new X509Certificate(Buffer.from(key.x5c[0] ?? '', 'base64'))
  t.deepEqual(root.raw, Buffer.from(api.service.authorities.active().chain[1] ?? []))
  t.true(createPublicKey({ key, format: 'jwk' }).equals(root.publicKey))
  t.is(typeof json['spiffe_sequence'], 'number')
})

test('the whole log can be verified over HTTP, entries by who may read them', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  for (let count = 0; count < 5; count += 1) await call(api, operator, 'GET', '/v1/hosts')
  const text = (await get(api, '/audit/key')).text
  const verifier = parseVerifierKey(text.trim())
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    const url = `/audit/${path}`
    const answer = path.startsWith('tile/entries/')
      ? await call(api, operator, 'GET', url)
      : await get(api, url)
    return answer.status === 200 ? answer.bytes : undefined
  }
  const { size, entries } = await verifyLog({ read, verifier })
  t.true(size >= 2)
  t.is(entries, size)
})

test('a tile that there is not, or that is written otherwise, is refused', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  for (const [path, code] of [
    ['/audit/tile/0/999', 'audit-beyond-tree'],
    ['/audit/tile/0/000.p/200', 'audit-beyond-tree'],
    ['/audit/tile/9/000', 'audit-beyond-tree'],
    ['/audit/tile/x', 'tile-path-malformed'],
    ['/audit/tile/0/0', 'tile-path-malformed'],
    ['/audit/tile/0/000.p/256', 'tile-path-malformed'],
    ['/audit/tile/0/../0/000', 'tile-path-malformed'],
  ] as const) {
    const answer = await get(api, path)
    t.is(answer.json['code'], code, path)
    t.is(answer.status, code === 'audit-beyond-tree' ? 404 : 400)
    t.is(answer.headers['cache-control'], 'no-store')
  }
  const beyond = await call(api, operator, 'GET', '/audit/tile/entries/999')
  t.like(beyond, { status: 404 })
  t.is((await get(api, '/audit/tile/entries/000.p/1')).status, 401)
})

test('a full tile may be kept for good, a partial one not', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { audit } = api.service.store
  const entry = { type: 'x', time: 1, actor: 'service', subject: 'x', detail: {} }
  await Promise.all(Array.from({ length: 260 }, () => audit.append(entry)))
  t.regex(String((await get(api, '/audit/tile/0/000')).headers['cache-control']), /immutable/)
  t.is((await get(api, '/audit/tile/0/001.p/1')).headers['cache-control'], 'no-store')
  const entries = await call(api, operator, 'GET', '/audit/tile/entries/000')
  t.regex(String(entries.headers['cache-control']), /^private, .*immutable/)
})

test('every address is in the OpenAPI document, and nothing else is', async t => {
  const api = await startTestApi(t)
  const { json, type } = await get(api, '/openapi.json')
  t.is(type, 'application/json')
  t.is(json['openapi'], '3.1.0')
  const paths = json['paths'] as Record<string, Json>
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  )
  const served = endpoints.map(
    ({ method, path }) => `${method} ${path.replaceAll(/[:*](\w+)/g, '{$1}')}`,
  )
  t.deepEqual(documented.toSorted(), served.toSorted())
  t.is(new Set(served).size, served.length)
})

test('every operation says what it takes, what it answers, and how it refuses', async t => {
  const api = await startTestApi(t)
  const { json } = await get(api, '/openapi.json')
  const paths = json['paths'] as Record<string, Record<string, Json>>
  for (const { method, path, request, form, scope, produces, status = 200 } of endpoints) {
    const key = path.replaceAll(/[:*](\w+)/g, '{$1}')
    const operation = paths[key]?.[method.toLowerCase()] ?? {}
    t.regex(String(operation['summary']), /^[A-Z].*[^ ]$/, key)
    const names = [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const parameters = (operation['parameters'] ?? []) as Json[]
    t.deepEqual(
      parameters.map(({ name }) => name),
      names,
    )
    t.is('requestBody' in operation, request !== undefined || form !== undefined, key)
    t.is('security' in operation, scope !== undefined, key)
    const responses = operation['responses'] as Record<
      string,
      { content: Json; description: string }
    >
    t.deepEqual(Object.keys(responses[String(status)]?.content ?? {}), [
      produces ?? 'application/json',
    ])
    t.truthy(responses['default'])
    t.is('401' in responses, scope !== undefined || form !== undefined, key)
    t.true(Object.values(responses).every(({ description }) => description.endsWith('.')))
  }
})

test('every reference in the OpenAPI document leads somewhere, and every scheme it asks for is described', async t => {
  const api = await startTestApi(t)
  const { json, text } = await get(api, '/openapi.json')
  const components = json['components'] as Record<string, Json>
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    t.true(name in (components['schemas'] ?? {}), name)
  const asked = [...text.matchAll(/"security":(\[.*?\])\s*,\s*"/g)].flatMap(([, list = '[]']) =>
    (JSON.parse(list) as Json[]).flatMap(row => Object.keys(row)),
  )
  t.true(asked.length > 10)
  for (const scheme of asked) t.true(scheme in (components['securitySchemes'] ?? {}), scheme)
})
