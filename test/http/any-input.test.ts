import { connect } from 'node:net'
import test from 'ava'
import * as fc from 'fast-check'
import { endpoints } from '../../src/http/app.ts'
import { startTestApi } from '../support/test-api.ts'
import { createOperator, proofOf } from '../support/test-caller.ts'
import { assertSane } from './assert-sane.ts'

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
