import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { adoptChild, releaseChild } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { createStage } from './cli-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ASSAY_TCTI: bench.tcti })
const { assay, directory, done, issuer } = stage
const audience = 'https://tickets.example'

const made = await assay(['init', '--issuer', issuer, '--allow-emulated', '--json'])
const fingerprint = String((made.json() as Record<string, unknown>)['fingerprint'])
await stage.serve()

test.after.always(async () => {
  await stage.close()
  await bench.stop()
})

interface Shown {
  readonly id: string
  readonly state: string
  readonly adoption: { readonly hosts: number; readonly adopted: number }
}

async function authorities(): Promise<Shown[]> {
  return (await done('operator', 'ca', 'show'))['authorities'] as Shown[]
}

/** Digest of the root that a file of the host ends with. */
async function rootOf(file: string): Promise<string> {
  const text = await readFile(join(directory, 'host', file), 'utf8')
  const last = text.slice(text.lastIndexOf('-----BEGIN'))
  return new X509Certificate(last).fingerprint256
}

let first = ''
let second = ''
let agentId = ''

test.serial('a host that enrols keeps the trust bundle at once, and the service knows', async t => {
  const anchor = join(directory, 'root.pem')
  await writeFile(anchor, bench.manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  await done('operator', 'anchor', 'add', anchor, ...labels)
  const form = ['--audience', audience, '--scope', 'read', '--host', '*']
  await done('operator', 'class', 'register', 'helper', ...form)
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--name', 'web-1']
  await done('host', ...command)
  agentId = String((await done('host', 'agent', 'create', '--class', 'helper'))['id'])
  const [active] = await authorities()
  t.like(active, { state: 'active', adoption: { hosts: 1, adopted: 1 } })
  first = active?.id ?? ''
})

test.serial('an authority that a host does not know is not activated, and it is named', async t => {
  second = String((await done('operator', 'ca', 'rotate', 'prepare'))['id'])
  const refused = await assay(['ca', 'rotate', 'activate', second.slice(0, 8)])
  t.is(refused.status, 1)
  t.is(refused.code, 'bundle-not-adopted')
  const shown = await assay(['ca', 'show'])
  t.regex(shown.stdout, /0 of 1 active hosts/)
  t.regex(shown.stdout, new RegExp(`^${second.slice(0, 16)} is not known to: web-1$`, 'm'))
})

test.serial('one round of following makes the host ready, and activation goes through', async t => {
  const round = await done('host', 'host', 'follow', '--once')
  t.like(round, { isNew: true, refreshHintSeconds: 300, renewed: [], failed: [] })
  const again = await assay(['host', 'follow', '--once'], { home: 'host' })
  t.regex(again.stdout, /^The trust bundle \d+ is still the one\.\n$/)
  t.like(
    (await authorities()).find(({ id }) => id === second),
    { state: 'prepared', adoption: { hosts: 1, adopted: 1 } },
  )
  const activated = await assay(['ca', 'rotate', 'activate', second.slice(0, 8)])
  t.is(activated.status, 0, activated.stderr)
  t.deepEqual(
    (await authorities()).map(({ state }) => state),
    ['retired', 'active'],
  )
})

test.serial('after the turnover host, agent and operator go on under the other root', async t => {
  const before = await rootOf('host.pem')
  await done('host', 'host', 'renew')
  t.not(await rootOf('host.pem'), before)
  t.is(await rootOf(`agents/${agentId}.pem`), before)
  t.is((await assay(['agent', 'token', agentId], { home: 'host' })).status, 0)
})

test.serial('a certificate whose root is trusted no more is renewed at once', async t => {
  const reason = ['--reason', 'its key was on a stolen disk']
  t.like(await done('operator', 'ca', 'rotate', 'taint', first, ...reason), { state: 'tainted' })
  const revoked = await done('operator', 'ca', 'rotate', 'revoke', first, ...reason)
  t.like(revoked, { state: 'revoked' })
  t.true(Number(revoked['certificates']) >= 2)
  const attestation = join(directory, 'host', 'agents', `${agentId}.attestation.jwt`)
  const attested = await readFile(attestation, 'utf8')
  const round = await done('host', 'host', 'follow', '--once')
  t.like(round, { isNew: true, renewed: [{ kind: 'agent', id: agentId }], failed: [] })
  t.is(await rootOf(`agents/${agentId}.pem`), await rootOf('host.pem'))
  // What lives as long as the certificate is renewed with it.
  t.not(await readFile(attestation, 'utf8'), attested)
  t.is((await assay(['agent', 'token', agentId], { home: 'host' })).status, 0)
})

test.serial(
  'an authority in the wrong state, an unknown one, and no reason are refused',
  async t => {
    const reason = ['--reason', 'a test']
    const state = await assay(['ca', 'rotate', 'revoke', second, ...reason])
    t.is(state.code, 'authority-state')
    const unknown = await assay(['ca', 'rotate', 'taint', 'f'.repeat(64), ...reason])
    t.is(unknown.code, 'authority-unknown')
    t.is((await assay(['ca', 'rotate', 'revoke', second])).status, 2)
    const force = await assay(['ca', 'rotate', 'activate', second, '--force'])
    t.is(force.code, 'request-malformed')
  },
)

test.serial('an agent’s token tells the service of a bundle that is new and due', async t => {
  const { id } = await done('operator', 'ca', 'rotate', 'prepare')
  await writeFile(join(directory, 'host', 'bundle.fetched'), '0', { mode: 0o600 })
  const token = await assay(['agent', 'token', agentId], { home: 'host' })
  t.is(token.status, 0, token.stderr)
  t.is(token.stderr, '')
  const adopted = (await authorities()).find(authority => authority.id === id)?.adoption
  t.deepEqual({ hosts: adopted?.hosts, adopted: adopted?.adopted }, { hosts: 1, adopted: 1 })
})

test.serial('a damaged bundle keeps no host from saying so, and is trusted by none', async t => {
  const home = join(directory, 'host')
  const { sequence } = await done('host', 'host', 'follow', '--once')
  const file = join(home, `bundle-${String(sequence).padStart(16, '0')}.json`)
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.slice(0, 40), { mode: 0o600 })
  for (const command of [
    ['host', 'follow', '--once'],
    ['agent', 'token', agentId],
  ])
    t.is((await assay(command, { home: 'host' })).code, 'home-malformed')
  await writeFile(file, text, { mode: 0o600 })
  await done('host', 'host', 'follow', '--once')
})

test.serial('a service that was set back is told apart: the later bundle stays', async t => {
  const home = join(directory, 'host')
  const { sequence } = await done('host', 'host', 'follow', '--once')
  const nameOf = (n: number): string => join(home, `bundle-${String(n).padStart(16, '0')}.json`)
  const text = await readFile(nameOf(Number(sequence)), 'utf8')
  const later = Number(sequence) + 1
  const changed = JSON.stringify({ ...JSON.parse(text), spiffe_sequence: later })
  await writeFile(nameOf(later), changed, { mode: 0o600 })
  const certificate = join(home, 'agents', `${agentId}.pem`)
  await writeFile(certificate, '', { mode: 0o600 })
  const refused = await assay(['host', 'follow', '--once', '--json'], { home: 'host' })
  t.is(refused.status, 1)
  t.like(refused.json(), { error: { code: 'bundle-older' } })
  // The certificate whose time has come is renewed all the same.
  t.regex(await readFile(certificate, 'utf8'), /^-----BEGIN CERTIFICATE-----/)
  await writeFile(join(home, 'bundle.fetched'), '0', { mode: 0o600 })
  const token = await assay(['agent', 'token', agentId], { home: 'host' })
  t.is(token.status, 0)
  t.regex(token.stderr, /^The trust bundle is not up to date:\nbundle-older: /)
})

test.serial(
  'without --once it goes on until it is told to stop, a line for each round',
  async t => {
    const home = join(directory, 'other')
    const program = new URL('../../src/cli/assay.ts', import.meta.url).pathname
    const none = await assay(['host', 'follow'], { home: 'other' })
    t.is(none.code, 'home-empty')
    await done(
      'other',
      'host',
      'enroll',
      issuer,
      '--fingerprint',
      await newFingerprint(),
      '--name',
      'web-1',
    )
    const env = { ...process.env, ASSAY_HOME: home, ASSAY_TCTI: bench.tcti }
    const child = spawn(process.execPath, [program, 'host', 'follow', '--json'], { env })
    if (child.pid !== undefined) adoptChild(child.pid)
    const [line = ''] = await new Promise<string[]>(resolve => {
      createInterface(child.stdout).once('line', text => resolve([text]))
    })
    t.like(JSON.parse(line), { isNew: false, failed: [] })
    const ended = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGTERM')
    t.is(await ended, 0)
    if (child.pid !== undefined) releaseChild(child.pid)
  },
)

test.serial('a host that was revoked has nothing to follow', async t => {
  const { hosts } = (await done('operator', 'host', 'list')) as unknown as {
    hosts: { id: string }[]
  }
  for (const { id } of hosts) await done('operator', 'host', 'revoke', id, '--reason', 'a test')
  const ended = await assay(['host', 'follow'], { home: 'other' })
  t.is(ended.status, 1)
  t.is(ended.code, 'host-revoked')
})

/** Of the root under which the service stands by now. */
async function newFingerprint(): Promise<string> {
  return `sha256:${(await rootOf('host.pem')).replaceAll(':', '').toLowerCase()}`
}
