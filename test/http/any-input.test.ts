import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { endpoints } from '../../src/http/app.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, proofOf, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  askForChallenge,
  createAgent,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
  type TestHost,
} from '../support/test-host.ts'

/** Whatever is asked: an answer of ours, in a form that callers know, and never a failure. */
function assertSane(t: ExecutionContext, api: TestApi, answer: TestAnswer, what: unknown): void {
  const shown = JSON.stringify(what).slice(0, 500)
  if (answer.status >= 500 && answer.json['code'] !== 'endorsement-queue-full')
    t.fail(`${answer.status} for ${shown}: ${answer.text}; ${JSON.stringify(api.reports.at(-1))}`)
  if (answer.status >= 400 && answer.text !== '')
    t.true('code' in answer.json || 'error' in answer.json, `${shown}: ${answer.text}`)
}

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD')
const segment = fc.oneof(
  fc.constantFrom(
    'v1',
    'hosts',
    'oauth',
    'token',
    'audit',
    'tile',
    'entries',
    '000.p',
    '..',
    '',
    'x',
  ),
  fc.string({ maxLength: 30 }).map(encodeURIComponent),
)
const anyPath = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map(parts => `/${parts.join('/')}`),
  fc.constantFrom(
    ...endpoints.map(({ path }) =>
      path.replaceAll(/:\w+/g, 'some-id').replaceAll(/\*\w+/g, '0/000'),
    ),
  ),
)
const headerValue = fc.string({
  unit: fc.constantFrom(...Array.from('abcXYZ019 .,;:=-_"\'/()<>@\\{}[]?!#$%&*+|~^`')),
  maxLength: 60,
})
const headers = fc.array(
  fc
    .tuple(
      fc.constantFrom(
        'Authorization',
        'DPoP',
        'Content-Type',
        'Accept',
        'Cookie',
        'X-Forwarded-For',
        'Range',
        'If-None-Match',
        'Expect',
        'TE',
        'X-Method-Override',
      ),
      fc.oneof(
        headerValue,
        fc.constantFrom(
          'application/json',
          'application/x-www-form-urlencoded',
          'DPoP a.b.c',
          'Bearer x',
        ),
      ),
    )
    .filter(([name, value]) => name !== 'Expect' && value.trim() !== ''),
  { maxLength: 5 },
)
const body = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 200 }),
  fc.json(),
  fc.uint8Array({ maxLength: 200 }),
)

test('no method, address, header and body makes the service fail', async t => {
  const api = await startTestApi(t)
  const wanted = fc.record({ method: methods, path: anyPath, headers, body })
  await fc.assert(
    fc.asyncProperty(wanted, async ({ body: content, ...request }) => {
      const isBodiless = content === undefined || request.method === 'HEAD'
      const answer = await api.send({ ...request, ...(isBodiless ? {} : { body: content }) })
      assertSane(t, api, answer, request)
      t.true(
        answer.status !== 200 ||
          /^\/(healthz|readyz|metrics|openapi|crl\/|v1\/status-lists|authorities\/|ocsp\/|v1\/bundle|oauth\/(jwks|challenge)|\.well|audit)/.test(
            request.path,
          ),
      )
    }),
    { numRuns: 400 },
  )
})

test('no parameter of a form makes the token endpoint fail', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const name = fc.constantFrom(
    'grant_type',
    'client_id',
    'scope',
    'resource',
    'client_assertion',
    'client_assertion_type',
    'x',
  )
  const value = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(
      'client_credentials',
      'https://assay.example',
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      'a.b.c',
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, value), { maxLength: 6 }),
      fc.boolean(),
      async (pairs, isProven) => {
        const form = new URLSearchParams(pairs).toString()
        const proof = isProven
          ? [['DPoP', await proofOf(api, key, { method: 'POST', path: '/oauth/token' })] as const]
          : []
        const type = ['Content-Type', 'application/x-www-form-urlencoded'] as const
        const answer = await api.send({
          method: 'POST',
          path: '/oauth/token',
          headers: [type, ...proof],
          body: form,
        })
        assertSane(t, api, answer, form)
      },
    ),
    { numRuns: 150 },
  )
})

test('nothing that a key holder writes into a proof makes the service fail', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ toString: 1, valueOf: 1 }, 1e300, -1e300, '\u0000', 'x'.repeat(300)),
  )
  const payloads = fc.dictionary(
    fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce'),
    value,
    { maxKeys: 2 },
  )
  const heads = fc.dictionary(fc.constantFrom('typ', 'alg', 'jwk', 'kid', 'crit'), value, {
    maxKeys: 1,
  })
  await fc.assert(
    fc.asyncProperty(payloads, heads, async (payload, header) => {
      const path = '/v1/hosts'
      const wanted = { method: 'GET', path, token: operator.token }
      const proof = await proofOf(api, operator.key, wanted, { payload, header })
      const answer = await api.send({
        method: 'GET',
        path,
        headers: [
          ['Authorization', `DPoP ${operator.token}`],
          ['DPoP', proof],
        ],
      })
      assertSane(t, api, answer, { payload, header })
    }),
    { numRuns: 150 },
  )
})

/** One member anywhere in a value replaced by another value, or one text of it changed in one place. */
function mutate(value: unknown, steps: readonly number[], replacement: unknown): unknown {
  const [step = 0, ...rest] = steps
  if (typeof value !== 'object' || value === null || steps.length === 0)
    return typeof value === 'string' && typeof replacement === 'number'
      ? value.slice(0, replacement % (value.length + 1)) +
          'A' +
          value.slice((replacement % (value.length + 1)) + 1)
      : replacement
  const keys = Object.keys(value)
  const key = keys[step % Math.max(1, keys.length)] ?? 'added'
  const part = (value as Record<string, unknown>)[key]
  const changed = mutate(part, rest, replacement)
  return Array.isArray(value)
    ? value.map((old, i) => (String(i) === key ? changed : old))
    : { ...value, [key]: changed }
}

const mutation = fc.tuple(
  fc.array(fc.nat(7), { minLength: 1, maxLength: 5 }),
  fc.oneof(fc.nat(2_000), fc.nat(2_000), fc.jsonValue(), fc.constantFrom('', 'AA', '__proto__')),
)

test('no mutant of a well-formed body makes an operator’s call fail', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const bodies: Readonly<Record<string, unknown>> = {
    '/v1/anchors': {
      certificate: encodeBase64url(manufacturer.root.certificate),
      name: 'emulated',
      vendor: manufacturer.vendor,
      assurance: 'emulated',
    },
    '/v1/classes': {
      name: 'reader',
      audiences: ['https://a.example/'],
      scopes: ['read'],
      hosts: ['*'],
      tokenLifetimeSeconds: 60,
    },
    '/v1/operators': {
      name: 'ada',
      role: 'auditor',
      keyProtection: 'file',
      jwk: createTestKey().jwk,
    },
    '/v1/hosts/some-id/revoke': { reason: 'x' },
    '/v1/agents/some-id/revoke': { reason: 'x' },
    '/v1/operators/some-id/revoke': { reason: 'x' },
  }
  const operations = endpoints.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v1/'),
  )
  t.true(operations.length > 10)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(bodies)),
      mutation,
      async (path, [steps, replacement]) => {
        const changed = mutate(bodies[path], steps, replacement)
        assertSane(t, api, await call(api, operator, 'POST', path, changed), { path, changed })
      },
    ),
    { numRuns: 250 },
  )
})

test('no mutant of genuine evidence is let in or makes an enrolment fail', async t => {
  const api = await startTestApi(t)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  await fc.assert(
    fc.asyncProperty(mutation, fc.boolean(), async ([steps, replacement], isFirst) => {
      if (isFirst) {
        const first = mutate(enrollmentBody(tpm), steps, replacement)
        return assertSane(t, api, await postJson(api, '/v1/enrollments', first), first)
      }
      const challenge = await askForChallenge(api, tpm)
      const whole = evidenceBody(tpm, challenge).body
      const changed = mutate(whole, steps, replacement)
      const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, changed)
      assertSane(t, api, answer, changed)
      if (JSON.stringify(changed) !== JSON.stringify(whole)) t.not(answer.status, 201, answer.text)
    }),
    { numRuns: 120 },
  )
})

async function registerReader(api: TestApi): Promise<void> {
  const reader = {
    name: 'reader',
    audiences: ['https://a.example/'],
    scopes: [],
    hosts: ['*'],
    tokenLifetimeSeconds: 60,
  }
  await call(api, await createOperator(api), 'POST', '/v1/classes', reader)
}

async function proveMutant(
  api: TestApi,
  host: TestHost,
  agent: TestCaller & { id: string },
  change: readonly [readonly number[], unknown],
): Promise<[unknown, TestAnswer]> {
  const challenge = (await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)).json
  const { body: whole } = agentEvidenceBody(host.tpm, agent.id, challenge as never)
  const changed = mutate(whole, ...change)
  return [changed, await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, changed)]
}

test('no mutant of a proof of an agent’s key makes its host’s call fail', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api)
  const agent = await createAgent(api, host, 'reader')
  await fc.assert(
    fc.asyncProperty(mutation, async change => {
      const [changed, answer] = await proveMutant(api, host, agent, change)
      assertSane(t, api, answer, changed)
    }),
    { numRuns: 80 },
  )
})

test('bytes that are no HTTP close their own connection and nothing else', async t => {
  const api = await startTestApi(t)
  const lines = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /oauth/token HTTP/1.1\r\n',
    'GET http://evil/healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    'Host: a\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n',
    '0\r\n\r\n',
    'ffffffffffffffff\r\n',
  )
  const chunk = fc.oneof(lines, fc.string(), lines)
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 6 }), async chunks => {
      const text = await talk(api.port, chunks.join(''))
      t.notRegex(text, /HTTP\/1\.1 5/)
    }),
    { numRuns: 60 },
  )
  t.is((await api.send({ method: 'GET', path: '/healthz' })).status, 200)
})

async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
  socket.on('error', () => undefined)
  socket.end(text)
  await Promise.race([
    new Promise(resolve => socket.once('close', resolve)),
    new Promise(resolve => setTimeout(resolve, 200)),
  ])
  socket.destroy()
  return answer
}
