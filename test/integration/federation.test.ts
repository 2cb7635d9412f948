import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { parse, stringify } from 'yaml'
import { parseTrustBundle } from '../../src/core/spiffe/trust-bundle.ts'
import { verifyX509Svid } from '../../src/core/spiffe/x509-svid.ts'
import { createWebIdentity } from '../support/web-identity.ts'
import { createStage, freePort, type CliStage } from './cli-fixtures.ts'

/** A service of a trust domain of its own, which its operator turns over and federates by the command line. */
interface Domain {
  readonly name: string
  readonly stage: CliStage
  readonly spiffeId: string
  readonly endpoint: string
}

async function createDomain(name: string): Promise<Domain> {
  const stage = await createStage()
  const command = ['init', '--issuer', stage.issuer, '--trust-domain', name, '--json']
  const made = await stage.assay(command)
  if (made.status !== 0) throw new Error(made.stderr)
  const spiffeId = `spiffe://${name}/service/assay`
  return { name, stage, spiffeId, endpoint: `${stage.issuer}/v1/bundle` }
}

async function configure({ stage }: Domain, members: object): Promise<void> {
  const path = join(stage.directory, 'data', 'config.yaml')
  const config = parse(await readFile(path, 'utf8')) as object
  await writeFile(path, stringify({ ...config, ...members }))
}

/** A command that must succeed, as JSON. */
async function done({ stage }: Domain, ...args: string[]): Promise<Record<string, unknown>> {
  return await stage.done('operator', ...args)
}

const [east, west] = await Promise.all([createDomain('east.example'), createDomain('west.example')])
const webPort = await freePort()
const web = `https://localhost:${webPort}/v1/bundle`
const { certificate: webCertificate, key: webKey } = createWebIdentity(east.stage.directory)
await configure(east, {
  federation: {
    hosts: [`localhost:${west.stage.port}`, `localhost:${webPort}`],
    privateAddresses: true,
    webAuthorities: webCertificate,
  },
})
await configure(west, {
  federation: { hosts: [`localhost:${east.stage.port}`], privateAddresses: true },
  bundleEndpoint: {
    listen: { host: '127.0.0.1', port: webPort },
    certificate: webCertificate,
    key: webKey,
  },
})
await Promise.all([east.stage.serve(), west.stage.serve()])

test.after.always(async () => {
  await Promise.all([east.stage.close(), west.stage.close()])
})

interface Got {
  readonly status: number
  readonly text: string
}

/** What anybody gets, who does not look at whose certificate it is. */
async function get(url: string, method = 'GET'): Promise<Got> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, rejectUnauthorized: false, agent: false }, response => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** The chain that a service shows, DER. */
async function chainOf({ stage }: Domain): Promise<Uint8Array[]> {
  const socket = connect({ host: 'localhost', port: stage.port, rejectUnauthorized: false })
  await new Promise((resolve, reject) =>
    socket.once('secureConnect', resolve).once('error', reject),
  )
  const chain: Uint8Array[] = []
  let next = socket.getPeerX509Certificate()
  while (next !== undefined && chain.length < 5) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  socket.destroy()
  return chain
}

/** Saves what a trust domain publishes, as its operator would send it. */
async function saveBundle(of: Domain, to: Domain): Promise<string> {
  const path = join(to.stage.directory, `${of.name}.json`)
  await writeFile(path, (await get(of.endpoint)).text)
  return path
}

async function addBySpiffe(to: Domain, of: Domain, id = of.spiffeId): Promise<void> {
  const how = ['--profile', 'https_spiffe', '--endpoint-id', id]
  const bundle = ['--bundle', await saveBundle(of, to)]
  await done(to, 'federation', 'add', of.name, of.endpoint, ...how, ...bundle)
}

test.serial(
  'two services follow each other by SPIFFE ID, under the bundle that each was given',
  async t => {
    await addBySpiffe(east, west)
    await addBySpiffe(west, east)
    for (const [here, there] of [
      [east, west],
      [west, east],
    ] as const) {
      const shown = await done(here, 'federation', 'refresh', there.name)
      t.like(shown, { trustDomain: there.name, profile: 'https_spiffe', failure: null })
      const published = await get(`${here.stage.issuer}/v1/bundles/${there.name}`)
      t.is(published.text, (await get(there.endpoint)).text)
    }
  },
)

test.serial(
  'whom one of them certified is known by the bundle that the other gives out, and by no other',
  async t => {
    const chain = await chainOf(west)
    const { text } = await get(`${east.stage.issuer}/v1/bundles`)
    const domains = (JSON.parse(text) as { trust_domains: Record<string, unknown> }).trust_domains
    const bundleOf = (name: string): ReturnType<typeof parseTrustBundle> =>
      parseTrustBundle(JSON.stringify(domains[name]))
    const own = { trustDomain: west.name, bundle: bundleOf(west.name) }
    t.is(verifyX509Svid(chain, own, Date.now()).id, west.spiffeId)
    const other = { trustDomain: west.name, bundle: bundleOf(east.name) }
    t.throws(() => verifyX509Svid(chain, other, Date.now()), { code: 'x509-svid-path' })
    const swapped = { trustDomain: east.name, bundle: bundleOf(west.name) }
    t.throws(() => verifyX509Svid(chain, swapped, Date.now()), { code: 'svid-domain' })
  },
)

test.serial('the other’s authority turns over, and is followed without anybody’s help', async t => {
  const { id } = await done(west, 'ca', 'rotate', 'prepare')
  const followed = await done(east, 'federation', 'refresh', west.name)
  t.like(followed, { isNew: true, authorities: { x509: 2 } })
  const first = (await chainOf(west)).at(-1)
  await done(west, 'ca', 'rotate', 'activate', String(id))
  t.notDeepEqual((await chainOf(west)).at(-1), first)
  // The endpoint stands under the root that came with the bundle before.
  t.like(await done(east, 'federation', 'refresh', west.name), { isNew: false, failure: null })
})

test.serial(
  'an endpoint of another SPIFFE ID is not believed, and the command line says why',
  async t => {
    await done(east, 'federation', 'remove', west.name, '--reason', 'a test')
    await addBySpiffe(east, west, `spiffe://${west.name}/service/other`)
    const refused = await east.stage.assay(['federation', 'refresh', west.name])
    t.is(refused.status, 1)
    t.is(refused.code, 'federation-not-followed')
    t.regex(refused.stderr, /outbound-identity: x509-svid-name/)
    const listed = await east.stage.assay(['federation', 'list'])
    t.regex(listed.stdout, /^west\.example +https_spiffe +\d+ +\S+ \S+ +outbound-identity$/m)
    const shown = await east.stage.assay(['federation', 'show', west.name])
    t.regex(shown.stdout, /^failure: +outbound-identity since /m)
    await done(east, 'federation', 'remove', west.name, '--reason', 'a test')
  },
)

test.serial(
  'by https_web the endpoint is believed by its name, and followed without being told to',
  async t => {
    await done(east, 'federation', 'add', west.name, web, '--profile', 'https_web')
    const published = `${east.stage.issuer}/v1/bundles/${west.name}`
    let answer = await get(published)
    for (let round = 0; round < 200 && answer.status !== 200; round += 1) {
      await pause(100)
      answer = await get(published)
    }
    t.is(answer.text, (await get(west.endpoint)).text)
    t.like(await done(east, 'federation', 'show', west.name), {
      profile: 'https_web',
      failure: null,
    })
  },
)

test.serial(
  'the listener under the web’s certificate gives bundles to everybody, and nothing else',
  async t => {
    const base = `https://localhost:${webPort}`
    t.is((await get(`${base}/v1/bundles/${west.name}`)).status, 200)
    for (const path of ['/oauth/jwks', '/v1/hosts', '/healthz', '/audit/checkpoint'])
      t.is((await get(base + path)).status, 404, path)
    t.is((await get(`${base}/oauth/token`, 'POST')).status, 404)
  },
)

test.serial(
  'a host off the list, an unknown trust domain and a missing file are refused',
  async t => {
    const profile = ['--profile', 'https_web']
    const off = ['federation', 'add', 'north.example', 'https://north.example/', ...profile]
    t.is((await east.stage.assay(off)).code, 'outbound-location')
    t.is(
      (await east.stage.assay(['federation', 'show', 'north.example'])).code,
      'federation-unknown',
    )
    const missing = [
      '--profile',
      'https_spiffe',
      '--endpoint-id',
      west.spiffeId,
      '--bundle',
      'none',
    ]
    const add = ['federation', 'add', 'north.example', west.endpoint, ...missing]
    t.is((await east.stage.assay(add)).code, 'file-unreadable')
  },
)

test.serial('every step stands in the log', async t => {
  const shown = (await done(east, 'audit', 'show', '--subject', west.name)) as unknown as {
    entries: { type: string }[]
  }
  const types = new Set(shown.entries.map(({ type }) => type))
  for (const act of ['added', 'followed', 'failed', 'removed'])
    t.true(types.has(`federation.${act}`), act)
})
