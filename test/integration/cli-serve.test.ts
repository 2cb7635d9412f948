import { once } from 'node:events'
import { createServer } from 'node:net'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { createStage } from './cli-fixtures.ts'

test.serial(
  'serve makes a first service where there is none, says so loudly, and it works',
  async t => {
    // The port of the embedded defaults may be taken on this machine: the service is made all the same.
    const stage = await createStage()
    t.teardown(async () => await stage.close())
    const outcome = await stage.serve().then(
      serving => serving,
      (error: Error) => error,
    )
    const config = await readFile(join(stage.directory, 'data', 'config.yaml'), 'utf8')
    t.regex(config, /^issuer: https:\/\/localhost:8443$/m)
    t.regex(config, /^trustDomain: localhost$/m)
    t.notRegex(config, /emulated/)
    t.is((await stat(join(stage.directory, 'operator', 'operator.key.pem'))).mode & 0o777, 0o600)
    if (outcome instanceof Error) {
      t.regex(outcome.message, /one was made with embedded defaults/)
      t.regex(outcome.message, /config-address/)
      return
    }
    t.like(outcome.document, {
      issuer: 'https://localhost:8443',
      created: { operator: { keyProtection: 'file' } },
    })
    t.is((await stage.assay(['operator', 'list'])).status, 0)
    const { status, stderr } = await outcome.stop('SIGINT')
    t.is(status, 0)
    t.regex(stderr, /one was made with embedded defaults/)
  },
)

test.serial('a port that is taken is said, with what to do', async t => {
  const stage = await createStage()
  t.teardown(async () => await stage.close())
  t.is((await stage.assay(['init', '--issuer', stage.issuer])).status, 0)
  const holder = createServer().listen(stage.port, '127.0.0.1')
  await once(holder, 'listening')
  const refused = await stage.assay(['serve'])
  holder.close()
  t.is(refused.status, 1)
  t.is(refused.code, 'config-address')
})

test.serial('a log level that is none is refused before anything is made', async t => {
  const stage = await createStage({ ASSAY_LOG_LEVEL: 'loud' })
  t.teardown(async () => await stage.close())
  const refused = await stage.assay(['serve'])
  t.is(refused.status, 2)
  t.is(refused.code, 'usage-malformed')
  await t.throwsAsync(stat(join(stage.directory, 'data')), { code: 'ENOENT' })
})

test.serial('SIGTERM lets what is under way finish, and ends with 0', async t => {
  const stage = await createStage()
  t.teardown(async () => await stage.close())
  const made = await stage.assay(['init', '--issuer', stage.issuer, '--json'])
  const { fingerprint } = made.json() as Record<string, string>
  const serving = await stage.serve()
  const trust = { fingerprint: fingerprint ?? '' }
  const client = ServiceClient.create({ issuer: stage.issuer, trust })
  await client.request('GET', '/healthz')
  const readings = Array.from({ length: 50 }, async () => await client.request('GET', '/readyz'))
  const ended = serving.stop()
  for (const reading of await Promise.allSettled(readings)) {
    // Whoever was let in is answered; who comes later finds nobody.
    if (reading.status === 'fulfilled') t.like(reading.value, { status: 'ready' })
    else t.regex(String((reading.reason as { code?: string }).code), /^service-unreachable$/)
  }
  await client.close()
  t.is((await ended).status, 0)
  t.is((await stage.assay(['operator', 'list'])).code, 'service-unreachable')
  await stage.serve()
  t.is((await stage.assay(['audit', 'verify'])).status, 0)
})
