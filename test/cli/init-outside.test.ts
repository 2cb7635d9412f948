import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { loadDataDirectory } from '../../src/data-directory.ts'
import {
  createCeremonyStage,
  exampleOf,
  holdHierarchy,
  issuerOf,
  requestOf,
  type CeremonyStage,
} from './ceremony-stage.ts'
import { runCli, type Ran } from './run-cli.ts'

/** `assay init` with what the ceremonies of a stage have left. */
async function init(stage: CeremonyStage, ...options: readonly string[]): Promise<Ran> {
  const place = ['--issuer', 'https://assay.example.org', '--trust-domain', 'example.org']
  return await runCli(['init', ...place, '--json', ...options], stage.path('home'))
}

const dataOf = (stage: CeremonyStage): string => join(stage.path('home'), 'data')

async function refused(
  t: ExecutionContext,
  stage: CeremonyStage,
  code: string,
  ...options: readonly string[]
): Promise<void> {
  const ran = await init(stage, ...options)
  t.is((ran.json() as { error: { code: string } }).error.code, code, ran.stderr)
  t.false(existsSync(dataOf(stage)))
}

test('a service begins with an authority from a ceremony, and no root’s key', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  const names = ['--issuing-certificate', stage.path('chain.pem')]
  const key = ['--issuing-key', stage.path('issuing.key.pem')]
  const made = await init(stage, ...names, ...key)
  t.is(made.status, 0, made.stderr)
  const { fingerprint } = made.json() as { fingerprint: string }
  const root = new X509Certificate(stage.read('root.pem'))
  t.is(fingerprint, `sha256:${root.fingerprint256.replaceAll(':', '').toLowerCase()}`)
  t.false(existsSync(join(dataOf(stage), 'ca/root.key.pem')))
  t.regex(readFileSync(join(dataOf(stage), 'ca/issuing.key.pem'), 'utf8'), /BEGIN ENCRYPTED/)
  const { chain } = loadDataDirectory(dataOf(stage))
  t.deepEqual(
    chain.map(der => Buffer.from(der).toString('hex')),
    [stage.read('issuing.pem'), stage.read('root.pem')].map(pem =>
      new X509Certificate(pem).raw.toString('hex'),
    ),
  )
})

test('an authority may have another one above it, and its key a passphrase', async t => {
  const stage = await createCeremonyStage(t)
  writeFileSync(stage.path('passphrase'), 'correct horse\n', { mode: 0o600 })
  await stage.hold('root', { pathLength: 2 })
  const middle = { certificate: 'middle.pem', chain: 'middle-chain.pem', request: undefined }
  await stage.hold('intermediate', {
    ...middle,
    subject: 'Middle',
    key: { place: 'middle.key.pem', make: 'P-384' },
    pathLength: 1,
  })
  await stage.hold('intermediate', {
    request: undefined,
    key: { place: 'issuing.key.pem', make: 'P-256', passphraseFile: 'passphrase' },
    issuer: issuerOf('middle-chain.pem', { place: 'middle.key.pem' }),
  })
  const options = [
    '--issuing-certificate',
    stage.path('chain.pem'),
    '--issuing-key',
    stage.path('issuing.key.pem'),
  ]
  await refused(t, stage, 'key-passphrase-missing', ...options)
  const made = await init(stage, ...options, '--issuing-passphrase', stage.path('passphrase'))
  t.is(made.status, 0, made.stderr)
  t.is(loadDataDirectory(dataOf(stage)).chain.length, 3)
})

test('what is no authority of this service is refused before anything is made', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  const chain = ['--issuing-certificate', stage.path('chain.pem')]
  const key = ['--issuing-key', stage.path('issuing.key.pem')]
  await refused(t, stage, 'usage-missing', ...chain)
  await refused(t, stage, 'usage-missing', ...chain, '--issuing-key', 'embedded')
  await refused(t, stage, 'usage-contradiction', '--issuing-passphrase', stage.path('passphrase'))
  await refused(t, stage, 'ceremony-differs', ...chain, '--issuing-key', stage.path('root.key.pem'))
  await refused(t, stage, 'private-file-missing', ...chain, '--issuing-key', stage.path('no.pem'))
  const alone = ['--issuing-certificate', stage.path('issuing.pem')]
  await refused(t, stage, 'ceremony-chain', ...alone, ...key)
  await refused(t, stage, 'file-unreadable', '--issuing-certificate', stage.path('no.pem'), ...key)
  await refused(t, stage, 'ceremony-issuer', ...chain, ...key, '--trust-domain', 'example.com')
  stage.openssl('genpkey', '-algorithm', 'RSA', '-out', 'rsa.pem')
  await refused(t, stage, 'ceremony-key', ...chain, '--issuing-key', stage.path('rsa.pem'))
  t.is((await init(stage, ...chain, ...key)).status, 0)
})

test('the next intermediate below an offline root is asked for by a request of its own', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  await stage.hold('request', { key: { place: 'b.key.pem', make: 'P-256' }, request: 'b.csr' })
  const below = exampleOf('intermediate', {
    request: requestOf(stage, 'b.csr'),
    certificate: 'b.pem',
    chain: 'b-chain.pem',
  })
  t.is((await stage.run(below)).status, 0)
  const made = await init(
    stage,
    '--issuing-certificate',
    stage.path('b-chain.pem'),
    '--issuing-key',
    stage.path('b.key.pem'),
  )
  t.is(made.status, 0, made.stderr)
})
