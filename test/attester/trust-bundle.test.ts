import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { Home } from '../../src/attester/home.ts'
import {
  findBundle,
  isBundleDue,
  isBundleTold,
  keepBundle,
  keepTold,
} from '../../src/attester/kept-bundle.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { followBundle } from '../../src/attester/trust-bundle.ts'
import { parseTrustBundle } from '../../src/core/spiffe/trust-bundle.ts'
import { createAuthority, startLocalService, type LocalService } from './local-service.ts'

const stranger = await createAuthority()

interface Stage {
  readonly service: LocalService
  readonly home: Home
  readonly client: ServiceClient
  /** What the service answers from now on. */
  readonly publish: (text: string) => void
}

const rootOf = (der: Uint8Array): object => ({
  use: 'x509-svid',
  kty: 'EC',
  x5c: [Buffer.from(der).toString('base64')],
})

function bundleText(sequence: number, roots: readonly Uint8Array[], hint = 60): string {
  return JSON.stringify({
    keys: roots.map(rootOf),
    spiffe_sequence: sequence,
    spiffe_refresh_hint: hint,
  })
}

async function openHome(t: ExecutionContext): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-bundle-'))
  t.teardown(async () => await rm(directory, { recursive: true, force: true }))
  return await Home.open(join(directory, 'home'))
}

async function begin(t: ExecutionContext): Promise<Stage> {
  let text = ''
  const service = await startLocalService({ answer: () => ({ body: text }) })
  t.teardown(async () => await service.stop())
  const home = await openHome(t)
  const { issuer, root } = service
  await home.saveService({ issuer, root })
  const client = ServiceClient.create({ issuer, trust: { root } })
  t.teardown(async () => await client.close())
  const publish = (next: string): void => {
    text = next
  }
  publish(bundleText(3, [root]))
  return { service, home, client, publish }
}

test('the bundle is fetched and kept, and is what connections are held against from then on', async t => {
  const { service, home, client, publish } = await begin(t)
  t.like(await followBundle(home, client, 1_000), { isNew: true, bundle: { sequence: 3 } })
  t.like(await followBundle(home, client, 2_000), { isNew: false, bundle: { sequence: 3 } })
  publish(bundleText(4, [service.root, stranger.root]))
  t.true((await followBundle(home, client, 3_000)).isNew)
  const { roots = [] } = await home.loadService()
  t.deepEqual(
    roots.map(der => Buffer.from(der)),
    [service.root, stranger.root].map(der => Buffer.from(der)),
  )
  t.is((await readdir(home.directory)).filter(name => name.endsWith('.json')).length, 2)
})

test('a service whose root left the bundle is not spoken to any more', async t => {
  const { home, client, publish } = await begin(t)
  publish(bundleText(4, [stranger.root]))
  await followBundle(home, client, 1_000)
  await t.throwsAsync(client.readRaw('/v1/bundle'), { code: 'service-untrusted' })
})

test('an empty bundle trusts nobody', async t => {
  const { home, client, publish } = await begin(t)
  publish(bundleText(4, []))
  await followBundle(home, client, 1_000)
  await t.throwsAsync(client.readRaw('/v1/bundle'), { code: 'service-untrusted' })
})

test('an earlier bundle, another of the same sequence, and none at all are refused; the kept one stays', async t => {
  const { service, home, client, publish } = await begin(t)
  await followBundle(home, client, 1_000)
  const refused = [
    [bundleText(2, [service.root]), 'bundle-older'],
    [bundleText(3, [service.root, stranger.root]), 'bundle-differs'],
    ['{"keys":[],"keys":[]}', 'bundle-malformed'],
    ['', 'bundle-malformed'],
  ] as const
  for (const [text, code] of refused) {
    publish(text)
    await t.throwsAsync(followBundle(home, client, 2_000), { code })
    t.is((await findBundle(home))?.text, bundleText(3, [service.root]))
  }
  publish(bundleText(4, [service.root]))
  await t.notThrowsAsync(followBundle(home, client, 2_000))
})

test('a damaged bundle is an error of the home wherever it is needed, and nothing is trusted in its place', async t => {
  const { home, client } = await begin(t)
  await followBundle(home, client, 1_000)
  const [file = ''] = await home.list(/^bundle-/)
  for (const damaged of ['', '{"keys":', bundleText(9, [stranger.root])]) {
    await writeFile(home.path(file), damaged)
    await t.throwsAsync(followBundle(home, client, 2_000), { code: 'home-malformed' })
    await t.throwsAsync(home.loadService(), { code: 'home-malformed' })
  }
})

test('a bundle is due after the time that it says, and where it is not known when it was fetched', async t => {
  const { home, client } = await begin(t)
  t.true(await isBundleDue(home, 1_000))
  await followBundle(home, client, 1_000)
  t.false(await isBundleDue(home, 60_999))
  t.true(await isBundleDue(home, 61_000))
  t.true(await isBundleDue(home, 999), 'a clock that was set back')
  await writeFile(home.path('bundle.fetched'), 'x')
  t.true(await isBundleDue(home, 1_001))
  await rm(home.path('bundle.fetched'))
  t.true(await isBundleDue(home, 1_001))
})

test('each bundle is told once', async t => {
  const { service, home, client, publish } = await begin(t)
  t.true(await isBundleTold(home))
  await followBundle(home, client, 1_000)
  t.false(await isBundleTold(home))
  await keepTold(home, 3)
  t.true(await isBundleTold(home))
  publish(bundleText(4, [service.root]))
  await followBundle(home, client, 1_000)
  t.false(await isBundleTold(home))
})

test('of a hundred who follow at once while the service goes on, none fails and the latest bundle stays', async t => {
  const { service, home, client, publish } = await begin(t)
  const latest = 103
  const followers = Array.from({ length: 100 }, async (_, index) => {
    await pause(index)
    publish(bundleText(4 + index, [service.root]))
    await followBundle(home, client, 1_000)
  })
  await Promise.all(followers)
  t.is((await findBundle(home))?.bundle.sequence, latest)
})

test('who writes an earlier bundle late puts it behind the later one', async t => {
  const home = await openHome(t)
  for (const sequence of [6, 5]) {
    const text = bundleText(sequence, [stranger.root])
    await keepBundle(home, { bundle: parseTrustBundle(text), text })
  }
  t.is((await findBundle(home))?.bundle.sequence, 6)
})
