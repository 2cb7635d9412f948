import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createFileKey } from '../../src/attester/file-key.ts'
import { Home } from '../../src/attester/home.ts'
import { findLocalAgent } from '../../src/cli/agent-machine.ts'
import { parseKeyChoice } from '../../src/cli/operator-key.ts'
import { prepareConfig } from '../../src/cli/service-config.ts'
import { runCli, scratch } from './run-cli.ts'

test('trust domain and port follow the issuer, and it listens on this machine alone', t => {
  const config = prepareConfig({ issuer: 'https://assay.example:9443/' })
  t.is(config.issuer, 'https://assay.example:9443')
  t.is(config.trustDomain, 'assay.example')
  t.deepEqual(config.listen, { host: '127.0.0.1', port: 9443 })
  t.is(prepareConfig({ issuer: 'https://assay.example' }).listen.port, 443)
  t.is(prepareConfig({}).issuer, 'https://localhost:8443')
})

test('an issuer is kept in the form in which clients write it', t => {
  const { issuer, listen } = prepareConfig({ issuer: 'https://Assay.Example:443/' })
  t.is(issuer, 'https://assay.example')
  t.is(listen.port, 443)
  for (const more of ['/a', '/?a', '/#a'])
    t.throws(() => prepareConfig({ issuer: `https://assay.example${more}` }), {
      code: 'config-malformed',
    })
})

test('software TPMs are let in only where that was said', t => {
  t.false(prepareConfig({}).attestation.assurance.includes('emulated'))
  t.true(prepareConfig({ allowEmulated: true }).attestation.assurance.includes('emulated'))
})

for (const [text, host, port] of [
  ['0.0.0.0:443', '0.0.0.0', 443],
  ['[::1]:8443', '::1', 8443],
  ['::', undefined, undefined],
  [':9000', '127.0.0.1', 9000],
  ['localhost', 'localhost', 8443],
  ['localhost:', undefined, undefined],
  ['a:b', undefined, undefined],
  ['', undefined, undefined],
] as const) {
  test(`--listen ${JSON.stringify(text)} is ${host === undefined ? 'refused' : `${host} ${port}`}`, t => {
    if (host === undefined)
      t.throws(() => prepareConfig({ listen: text }), { code: 'usage-malformed' })
    else t.deepEqual(prepareConfig({ listen: text }).listen, { host, port })
  })
}

test('what is no issuer and no trust domain is refused', t => {
  t.throws(() => prepareConfig({ issuer: 'nonsense' }), { code: 'usage-malformed' })
  t.throws(() => prepareConfig({ issuer: 'http://a.example' }), { code: 'config-malformed' })
  t.throws(() => prepareConfig({ trustDomain: 'A B' }), { code: 'config-malformed' })
})

test('a key is in a file, in the TPM, or named by a PKCS#11 URI', t => {
  const uri = 'pkcs11:object=a?module-path=/m.so'
  for (const text of ['file', 'tpm', uri]) t.is(parseKeyChoice(text), text as 'file')
  for (const text of ['', 'password', 'file:/x', 'pkcs11:', `${uri}&pin-value=1`])
    t.throws(() => parseKeyChoice(text), { code: 'usage-malformed' }, text)
})

test('init that was cut off after the key was made uses that key', async t => {
  const home = join(await scratch(t), 'home')
  await mkdir(home, { mode: 0o700 })
  const { jkt } = await createFileKey(join(home, 'operator.key.pem'))
  const made = await runCli(['init', '--issuer', 'https://localhost:9', '--json'], home)
  t.is(made.status, 0, made.stderr)
  const shown = (await Home.open(home)).path('operator.key.pem')
  const { openFileKey } = await import('../../src/attester/file-key.ts')
  t.is((await openFileKey(shown)).jkt, jkt)
  const { logKey } = await (await Home.open(home)).loadService()
  t.regex(logKey ?? '', /^localhost:9\/audit\+[0-9a-f]{8}\+/)
})

test('serve refuses to start where no service was made, when it was told not to make one', async t => {
  const home = join(await scratch(t), 'home')
  const ran = await runCli(['serve', '--no-init', '--json'], home)
  t.is(ran.status, 1)
  t.like(ran.json(), { error: { code: 'config-missing' } })
})

test('the only agent of a home need not be named', async t => {
  const home = await Home.open(join(await scratch(t), 'home'))
  await t.throwsAsync(findLocalAgent(home, undefined), { code: 'not-enrolled' })
  const agent = (id: string) => ({
    id,
    spiffeId: 's',
    className: 'c',
    keyFile: 'k',
    certificateFile: 'c',
  })
  await home.saveAgent(agent('a'))
  t.is((await findLocalAgent(home, undefined)).id, 'a')
  await home.saveAgent(agent('b'))
  await t.throwsAsync(findLocalAgent(home, undefined), { code: 'agent-unclear' })
  t.is((await findLocalAgent(home, 'b')).id, 'b')
  await t.throwsAsync(findLocalAgent(home, 'c'), { code: 'agent-not-local' })
})

test('a key reference that was meddled with is refused', async t => {
  const home = join(await scratch(t), 'home')
  t.is((await runCli(['init', '--issuer', 'https://localhost:9'], home)).status, 0)
  const record = { id: 'o', clientId: 'c', key: 'file:../../etc/passwd' }
  await writeFile(join(home, 'operator.json'), JSON.stringify(record), { mode: 0o600 })
  const ran = await runCli(['host', 'list', '--json'], home)
  t.like(ran.json(), { error: { code: 'home-malformed' } })
})
