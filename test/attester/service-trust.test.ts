import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { ClientError } from '../../src/attester/client-error.ts'
import { parseFingerprint } from '../../src/attester/pinned-tls.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { countingKey } from './counting-key.ts'
import { createAuthority } from './local-service.ts'
import { clientOf, start } from './service-client-fixtures.ts'

test('a service is found by the fingerprint of its root, and the root is kept', async t => {
  const service = await start(t, { answer: () => ({ body: { status: 'ok' } }) })
  const trust = { fingerprint: service.fingerprint.toUpperCase().replace('SHA256', 'sha256') }
  const client = ServiceClient.create({ issuer: service.issuer, trust })
  t.deepEqual(await client.request('GET', '/healthz'), { status: 'ok' })
  t.deepEqual(Buffer.from(await client.root()), Buffer.from(service.root))
  t.is(await client.fingerprint(), service.fingerprint)
  await client.close()
})

test('nothing is sent to a server without the pinned fingerprint', async t => {
  const [service, other] = [await start(t), await createAuthority()]
  const trust = { fingerprint: `sha256:${createHash('sha256').update(other.root).digest('hex')}` }
  const client = ServiceClient.create({ issuer: service.issuer, trust, key: countingKey() })
  for (const attempt of [
    client.request('POST', '/v1/enrollments', { secret: 1 }),
    client.call('GET', '/v1/hosts'),
    client.token(),
    client.readRaw('/audit/checkpoint'),
  ]) {
    const error = await t.throwsAsync(attempt, { instanceOf: ClientError })
    t.is(error.code, 'service-fingerprint')
    t.is(error.found, service.fingerprint)
  }
  t.deepEqual(service.seen, [])
  t.true(service.connections() > 0)
})

test('nothing is sent to a server under another root than the one that is kept', async t => {
  const [service, other] = [await start(t), await createAuthority()]
  const client = clientOf(t, { issuer: service.issuer, root: other.root })
  await t.throwsAsync(client.request('GET', '/healthz'), { code: 'service-untrusted' })
  t.deepEqual(service.seen, [])
})

test('a fingerprint of another certificate of the chain than its root is no trust', async t => {
  const service = await start(t, { withRoot: false })
  const trust = { fingerprint: service.fingerprint }
  const client = ServiceClient.create({ issuer: service.issuer, trust })
  await t.throwsAsync(client.request('GET', '/healthz'), { code: 'service-fingerprint' })
  await t.notThrowsAsync(clientOf(t, service).request('GET', '/healthz'))
})

test('nothing is sent to a server whose certificate is for another name', async t => {
  const service = await start(t, { names: ['elsewhere.example'] })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-name' })
  t.deepEqual(service.seen, [])
})

test('a client that stands under the same root is not taken for the service', async t => {
  const service = await start(t, { spiffeId: 'spiffe://test.example/agent/coder/a-1' })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-name' })
  t.deepEqual(service.seen, [])
})

test('a name that quotes the service’s is not taken for it', async t => {
  const spiffeId = 'spiffe://test.example/a, URI:spiffe://test.example/service/assay, b'
  const service = await start(t, { spiffeId })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-name' })
  t.deepEqual(service.seen, [])
})

test('an expired certificate is no trust', async t => {
  const service = await start(t, { notAfter: Date.now() - 60_000 })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-untrusted' })
  t.deepEqual(service.seen, [])
})

test('below TLS 1.3 nothing is sent, also while the root is looked for', async t => {
  const service = await start(t, { maxVersion: 'TLSv1.2' })
  await t.throwsAsync(clientOf(t, service).request('GET', '/'), { code: 'service-tls' })
  const trust = { fingerprint: service.fingerprint }
  const client = ServiceClient.create({ issuer: service.issuer, trust })
  await t.throwsAsync(client.request('GET', '/'), { code: 'service-tls' })
  t.deepEqual(service.seen, [])
})

test('a server that is not there has its own code, and the client can try again', async t => {
  const listener = createServer()
  await new Promise<void>(resolve => listener.listen(0, 'localhost', resolve))
  const { port } = listener.address() as AddressInfo
  await new Promise(resolve => listener.close(resolve))
  const trust = { fingerprint: `sha256:${'0'.repeat(64)}` }
  const client = ServiceClient.create({ issuer: `https://localhost:${port}`, trust })
  await t.throwsAsync(client.request('GET', '/'), { code: 'service-unreachable' })
  await t.throwsAsync(client.request('GET', '/'), { code: 'service-unreachable' })
})

for (const issuer of [
  'http://localhost',
  'https://localhost/path',
  'https://localhost?x',
  'https://localhost#x',
  'https://user@localhost',
  'localhost',
  '',
]) {
  test(`no service has the address ${JSON.stringify(issuer)}`, t => {
    const create = (): unknown =>
      ServiceClient.create({ issuer, trust: { root: new Uint8Array() } })
    t.throws(create, { code: 'service-address' })
  })
}

test('a fingerprint has one form, and is taken in those that tools print', t => {
  const digest = 'ab'.repeat(32)
  const colons = (digest.match(/../g) ?? []).join(':').toUpperCase()
  for (const text of [`sha256:${digest}`, `SHA256:${colons}`, `sha256:${colons}`])
    t.is(parseFingerprint(text), `sha256:${digest}`)
  for (const text of [
    '',
    digest,
    `sha1:${digest}`,
    `sha256:${digest}0`,
    `sha256:${'g'.repeat(64)}`,
  ])
    t.throws(() => parseFingerprint(text), { code: 'fingerprint-malformed' }, text)
})
