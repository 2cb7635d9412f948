import test, { type ExecutionContext } from 'ava'
import { encodePem } from '../../src/attester/pem.ts'
import { parseTrustBundle } from '../../src/core/spiffe/trust-bundle.ts'
import { createBundleFetch } from '../../src/outbound/create-bundle-fetch.ts'
import { anyNetwork, internet, type Network } from '../../src/outbound/network.ts'
import type { BundleEndpoint, BundleFetch } from '../../src/ports/bundle-fetch.ts'
import {
  createAuthority,
  startLocalService,
  type LocalService,
  type LocalServiceOptions,
} from '../attester/local-service.ts'

const id = 'spiffe://test.example/service/assay'
const clock = { now: () => Date.now() }
const stranger = await createAuthority()

async function serve(
  t: ExecutionContext,
  options: LocalServiceOptions = {},
): Promise<LocalService> {
  const service = await startLocalService({ answer: () => ({ body: '{"keys":[]}' }), ...options })
  t.teardown(async () => await service.stop())
  return service
}

function clientOf(
  services: readonly LocalService[],
  webRoots: readonly Uint8Array[] = [],
  network: Network = anyNetwork,
): BundleFetch {
  const hosts = services.map(({ issuer }) => new URL(issuer).host)
  const webAuthorities = webRoots.map(root => encodePem('CERTIFICATE', root))
  return createBundleFetch({ hosts, timeoutSeconds: 5, webAuthorities }, network, clock)
}

function bySvid(
  service: LocalService,
  changes: { readonly id?: string; readonly trustDomain?: string; readonly root?: Uint8Array } = {},
): BundleEndpoint {
  const { id: wanted = id, trustDomain = 'test.example', root = service.root } = changes
  const entry = { use: 'x509-svid', kty: 'EC', x5c: [Buffer.from(root).toString('base64')] }
  const bundle = parseTrustBundle(JSON.stringify({ keys: [entry] }))
  return {
    url: `${service.issuer}/v1/bundle`,
    svid: { id: wanted, authorities: { trustDomain, bundle } },
  }
}

const byName = ({ issuer }: LocalService): BundleEndpoint => ({
  url: `${issuer}/v1/bundle`,
  svid: undefined,
})

test('https_spiffe: the endpoint is believed by its SPIFFE ID under the bundle, whatever its names', async t => {
  const service = await serve(t, { names: ['elsewhere.example'] })
  t.is(await clientOf([service]).fetch(bySvid(service)), '{"keys":[]}')
  const [asked] = service.seen
  t.like(asked, { method: 'GET', path: '/v1/bundle', body: '' })
  t.is(asked?.headers.authorization, undefined)
  t.is(asked?.headers.host, new URL(service.issuer).host)
})

for (const [name, changes] of [
  ['another SPIFFE ID', { id: 'spiffe://test.example/service/other' }],
  ['a bundle of another trust domain', { trustDomain: 'other.example' }],
  ['a bundle with another root', { root: stranger.root }],
] as const)
  test(`https_spiffe: nothing is sent where ${name} is expected`, async t => {
    const service = await serve(t)
    await t.throwsAsync(clientOf([service]).fetch(bySvid(service, changes)), {
      code: 'outbound-identity',
    })
    t.deepEqual(service.seen, [])
  })

test('https_spiffe: the machine’s and the web’s authorities count for nothing', async t => {
  const service = await serve(t)
  const client = clientOf([service], [service.root])
  await t.throwsAsync(client.fetch(bySvid(service, { root: stranger.root })), {
    code: 'outbound-identity',
  })
  t.is(await client.fetch(byName(service)), '{"keys":[]}')
})

test('https_spiffe: a certificate whose time is over is not believed', async t => {
  const service = await serve(t, { notAfter: Date.now() - 1_000 })
  await t.throwsAsync(clientOf([service]).fetch(bySvid(service)), { code: 'outbound-identity' })
})

test('https_web: the endpoint is believed by its name under the web’s authorities', async t => {
  const service = await serve(t)
  t.is(await clientOf([service], [service.root]).fetch(byName(service)), '{"keys":[]}')
  const unknown = clientOf([service], [stranger.root]).fetch(byName(service))
  await t.throwsAsync(unknown, { code: 'outbound-identity' })
  const other = await serve(t, { names: ['elsewhere.example'] })
  const wrong = clientOf([other], [other.root]).fetch(byName(other))
  await t.throwsAsync(wrong, { code: 'outbound-identity' })
  t.deepEqual(other.seen, [])
})

test('https_web: without authorities of its own this machine’s count, which do not know a test', async t => {
  const service = await serve(t)
  const limits = { hosts: [new URL(service.issuer).host], timeoutSeconds: 5 }
  const client = createBundleFetch({ ...limits, webAuthorities: undefined }, anyNetwork, clock)
  await t.throwsAsync(client.fetch(byName(service)), { code: 'outbound-identity' })
})

test('hosts that the configuration does not name are not asked, nor addresses that the network refuses', async t => {
  const service = await serve(t)
  const client = clientOf([])
  t.false(client.isAllowed(byName(service).url))
  await t.throwsAsync(client.fetch(byName(service)), { code: 'outbound-location' })
  const careful = clientOf([service], [service.root], internet)
  t.true(careful.isAllowed(byName(service).url))
  await t.throwsAsync(careful.fetch(byName(service)), { code: 'outbound-address' })
  t.is(service.connections(), 0)
})

test('a redirection is followed to a host of the list with the same SPIFFE ID, and to no other', async t => {
  const target = await serve(t)
  const to = (location: string): LocalServiceOptions => ({
    answer: () => ({ status: 307, headers: { Location: location } }),
  })
  const same = await serve(t, to('/elsewhere'))
  await t.throwsAsync(clientOf([same]).fetch(bySvid(same)), { code: 'outbound-redirect' })
  const first = await serve(t, to(`${target.issuer}/v1/bundle`))
  await t.throwsAsync(clientOf([first]).fetch(bySvid(first)), { code: 'outbound-redirect' })
  const both = clientOf([first, target], [first.root, target.root])
  t.is(await both.fetch(byName(first)), '{"keys":[]}')
  // The other has another root: not the endpoint that is meant.
  await t.throwsAsync(both.fetch(bySvid(first)), { code: 'outbound-identity' })
  const plain = await serve(t, to('http://localhost/v1/bundle'))
  await t.throwsAsync(clientOf([plain]).fetch(bySvid(plain)), { code: 'outbound-redirect' })
})

test('an answer that is no text, too large, or no success is refused', async t => {
  for (const [body, code] of [
    [Uint8Array.of(0xff), 'outbound-answer'],
    [Buffer.alloc(1024 * 1024 + 1, 'x'), 'outbound-too-large'],
  ] as const) {
    const service = await serve(t, { answer: () => ({ body }) })
    await t.throwsAsync(clientOf([service]).fetch(bySvid(service)), { code })
  }
  const missing = await serve(t, { answer: () => ({ status: 404 }) })
  await t.throwsAsync(clientOf([missing]).fetch(bySvid(missing)), { code: 'outbound-answer' })
})
