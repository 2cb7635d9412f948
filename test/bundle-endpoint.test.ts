import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { startBundleEndpoint, type BundleEndpointConfig } from '../src/bundle-endpoint.ts'
import { parseConfig } from '../src/config.ts'
import { createBundleFetchOf } from '../src/federation.ts'
import type { TlsServer } from '../src/tls-server.ts'
import { createWebIdentity } from './support/web-identity.ts'

function createIdentity(t: ExecutionContext): { certificate: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-web-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return createWebIdentity(folder)
}

const listen = { host: '127.0.0.1', port: 0 }

async function start(
  t: ExecutionContext,
  config: BundleEndpointConfig,
  reports: unknown[] = [],
): Promise<TlsServer> {
  const answer = (_: unknown, response: { end(text: string): unknown }): unknown =>
    response.end('bundle')
  const server = await startBundleEndpoint(config, answer, cause => reports.push(cause), 20)
  t.teardown(async () => await server.stop())
  return server
}

/** Serial number of the certificate that is shown, whoever's it is. */
async function serialAt({ address }: TlsServer): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port: address.port, rejectUnauthorized: false })
  await new Promise((resolve, reject) =>
    socket.once('secureConnect', resolve).once('error', reject),
  )
  const serial = socket.getPeerX509Certificate()?.serialNumber
  socket.destroy()
  return serial
}

test('a certificate that something else renews is taken up; one that does not fit its key is not', async t => {
  const [identity, next] = [createIdentity(t), createIdentity(t)]
  const reports: unknown[] = []
  const server = await start(t, { listen, ...identity }, reports)
  const first = await serialAt(server)
  copyFileSync(next.certificate, identity.certificate)
  for (let round = 0; round < 100 && reports.length === 0; round += 1) await pause(20)
  t.like(reports[0], { code: 'config-malformed' })
  t.is(await serialAt(server), first)
  copyFileSync(next.key, identity.key)
  let shown = first
  for (let round = 0; round < 100 && shown === first; round += 1) {
    await pause(20)
    shown = await serialAt(server)
  }
  t.not(shown, first)
})

test('files that cannot be used are an error of the configuration, named', async t => {
  const [identity, other] = [createIdentity(t), createIdentity(t)]
  const refused = async (changes: Partial<BundleEndpointConfig>, code: string): Promise<unknown> =>
    await t.throwsAsync(start(t, { listen, ...identity, ...changes }), { code })
  await refused({ certificate: '/nowhere/web.pem' }, 'config-missing')
  await refused({ key: other.key }, 'config-malformed')
  await refused({ certificate: identity.key }, 'config-malformed')
  chmodSync(identity.key, 0o644)
  await refused({}, 'config-exposed')
  chmodSync(identity.key, 0o600)
  const server = await start(t, { listen, ...identity })
  await refused({ listen: { ...listen, port: server.address.port } }, 'config-address')
})

const configured = (federation: string): ReturnType<typeof parseConfig> =>
  parseConfig(
    `issuer: https://assay.example\ntrustDomain: example.org\nfederation: ${federation}\n`,
    'config.yaml',
  )

test('nothing fetches bundles where no host is named; authorities of the web are read from their file', t => {
  const { certificate, key } = createIdentity(t)
  t.is(createBundleFetchOf(configured('{}')), undefined)
  const open = createBundleFetchOf(configured("{ hosts: ['b.example:8443'] }"))
  t.true(open?.isAllowed('https://b.example:8443/bundle.json'))
  t.false(open?.isAllowed('https://b.example/bundle.json'))
  const file = (path: string): string => `{ hosts: [b.example], webAuthorities: ${path} }`
  t.truthy(createBundleFetchOf(configured(file(certificate))))
  const refused = (path: string, code: string): unknown =>
    t.throws(() => createBundleFetchOf(configured(file(path))), { code })
  refused('/nowhere/ca.pem', 'config-missing')
  refused(key, 'config-malformed')
  writeFileSync(certificate, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  refused(certificate, 'config-malformed')
})

for (const host of ['B.example', 'b.example:443', 'https://b.example', 'b.example/x', ''])
  test(`a bundle endpoint's host is not written ${host || 'as nothing'}`, t => {
    t.throws(() => configured(`{ hosts: ['${host}'] }`), { code: 'config-malformed' })
  })
