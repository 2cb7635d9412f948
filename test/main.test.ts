import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseConfig } from '../src/config.ts'
import { createDataDirectory, loadDataDirectory } from '../src/data-directory.ts'
import { fingerprintOf, initialiseService, startService, type RunningService } from '../src/main.ts'
import { pem } from '../src/services/view.ts'
import { createTestKey } from './support/compact-jws.ts'
import { freePort } from './support/free-port.ts'

const silent = { report: () => undefined }

function createFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-main-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'service')
}

const config = parseConfig(
  'issuer: https://assay.example\ntrustDomain: example.org\nlisten: { port: 0 }\n',
  'config.yaml',
)

const operator = { name: 'ada', role: 'administrator', keyProtection: 'file' } as const

async function initialise(t: ExecutionContext): Promise<string> {
  const dataDirectory = createFolder(t)
  await initialiseService({
    dataDirectory,
    config,
    operator: { ...operator, jwk: createTestKey().jwk },
  })
  return dataDirectory
}

async function start(t: ExecutionContext, dataDirectory: string): Promise<RunningService> {
  const running = await startService({ dataDirectory, log: silent })
  t.teardown(async () => await running.stop())
  return running
}

async function get(running: RunningService, root: Uint8Array, path: string): Promise<string> {
  const { port } = running.address
  return await new Promise((resolve, reject) => {
    const wanted = { host: '127.0.0.1', port, path, ca: pem(root), agent: false as const }
    request(wanted, response => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}

test('a service that was initialised starts, answers under its root, and stops', async t => {
  const dataDirectory = createFolder(t)
  const { jwk } = createTestKey()
  const made = await initialiseService({ dataDirectory, config, operator: { ...operator, jwk } })
  t.is(made.issuer, 'https://assay.example')
  t.is(made.fingerprint, fingerprintOf(made.root))
  t.regex(made.clientId, /^spiffe:\/\/example\.org\/operator\//)
  const running = await start(t, dataDirectory)
  t.is(running.fingerprint, made.fingerprint)
  t.is(await get(running, made.root, '/healthz'), '{"status":"ok"}')
  t.is(await get(running, made.root, '/readyz'), '{"status":"ready","signers":{}}')
  await running.stop()
  await running.stop()
  await t.throwsAsync(get(running, made.root, '/healthz'))
})

test('a service whose second listener cannot start does not start, and lets its port go', async t => {
  const dataDirectory = createFolder(t)
  const bundleEndpoint = { listen: { host: '127.0.0.1', port: 0 }, certificate: '/x', key: '/y' }
  await initialiseService({
    dataDirectory,
    config: { ...config, listen: { host: '127.0.0.1', port: await freePort() }, bundleEndpoint },
    operator: { ...operator, jwk: createTestKey().jwk },
  })
  for (const _ of [1, 2])
    await t.throwsAsync(startService({ dataDirectory, log: silent }), { code: 'config-missing' })
})

test('the fingerprint is SHA-256 of the root’s DER, in lower-case hex', async t => {
  const { chain } = loadDataDirectory(await initialise(t))
  const root = chain.at(-1) ?? new Uint8Array()
  const { fingerprint256 } = new X509Certificate(root)
  t.is(fingerprintOf(root), `sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`)
})

test('a start continues the log of the one before', async t => {
  const dataDirectory = await initialise(t)
  const root = loadDataDirectory(dataDirectory).chain.at(-1) ?? new Uint8Array()
  const sizes: number[] = []
  for (let count = 0; count < 2; count += 1) {
    const running = await startService({ dataDirectory, log: silent })
    sizes.push(Number((await get(running, root, '/audit/checkpoint')).split('\n')[1]))
    await running.stop()
  }
  t.true((sizes[0] ?? 0) >= 3)
  t.true((sizes[1] ?? 0) > (sizes[0] ?? 0))
})

test('a service is initialised once', async t => {
  const dataDirectory = await initialise(t)
  const again = { dataDirectory, config, operator: { ...operator, jwk: createTestKey().jwk } }
  await t.throwsAsync(initialiseService(again), { code: 'config-exists' })
})

test('an operator’s key that cannot be used leaves no service without an operator behind', async t => {
  const dataDirectory = createFolder(t)
  const { jwk } = createTestKey()
  const off = { ...jwk, y: createTestKey().jwk.y }
  const wanted = { dataDirectory, config, operator: { ...operator, jwk: off } }
  await t.throwsAsync(initialiseService(wanted), { code: 'jwk-malformed' })
  await t.notThrowsAsync(initialiseService({ ...wanted, operator: { ...operator, jwk } }))
})

test('a directory that holds no service cannot be started', async t => {
  const dataDirectory = createFolder(t)
  await t.throwsAsync(startService({ dataDirectory, log: silent }), { code: 'config-missing' })
})

test('a data directory serves one process', async t => {
  const dataDirectory = await initialise(t)
  await start(t, dataDirectory)
  await t.throwsAsync(startService({ dataDirectory, log: silent }), { code: 'store-in-use' })
})

test('a port that is taken lets go of the database', async t => {
  const first = await start(t, await initialise(t))
  const dataDirectory = createFolder(t)
  const taken = { ...config, listen: { host: '127.0.0.1', port: first.address.port } }
  await createDataDirectory(dataDirectory, taken)
  for (let count = 0; count < 2; count += 1)
    await t.throwsAsync(startService({ dataDirectory, log: silent }), { code: 'config-address' })
})
