import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { createCeremonyStage, exampleOf, issuerOf, requestOf } from './ceremony-stage.ts'
import { runCli } from './run-cli.ts'

const codeOf = (ran: { readonly json: () => unknown }): string =>
  (ran.json() as { error: { code: string } }).error.code

const make = 'P-384'
const passphraseFile = 'passphrase'

test('how a key will be kept is said before it is made, and again when it is', async t => {
  const stage = await createCeremonyStage(t)
  writeFileSync(stage.path(passphraseFile), 'correct horse\n', { mode: 0o600 })
  for (const [name, more, keyAtRest] of [
    ['plain', {}, 'plain'],
    ['encrypted', { passphraseFile }, 'encrypted'],
  ] as const) {
    const changes = {
      key: { place: `${name}.key.pem`, make, ...more },
      certificate: `${name}.pem`,
    }
    t.like(await stage.hold('root', changes, '--check'), { keyAtRest })
    t.like(await stage.hold('root', changes), { keyAtRest })
    const isEncrypted = stage.read(`${name}.key.pem`).includes('BEGIN ENCRYPTED PRIVATE KEY')
    t.is(isEncrypted, keyAtRest === 'encrypted')
  }
  writeFileSync(stage.path('next.json'), JSON.stringify(exampleOf('request')))
  const lines = await runCli(['ca', 'ceremony', stage.path('next.json'), '--check'])
  t.regex(lines.stdout, /^key at rest: +plain$/m)
})

test('of a key that is there already it is said how it lies there, whatever else is named', async t => {
  const stage = await createCeremonyStage(t)
  writeFileSync(stage.path(passphraseFile), 'correct horse\n', { mode: 0o600 })
  await stage.hold('root')
  await stage.hold('request', { key: { place: 'a.key.pem', make, passphraseFile } })
  const again = { request: 'again.csr' }
  t.like(await stage.hold('request', { ...again, key: { place: 'a.key.pem', passphraseFile } }), {
    keyAtRest: 'encrypted',
  })
  const plain = { place: 'root.key.pem', passphraseFile }
  t.like(await stage.hold('request', { request: 'plain.csr', key: plain }), { keyAtRest: 'plain' })
  const below = { issuer: issuerOf('root.pem', { place: 'root.key.pem' }) }
  const requested = await stage.hold('intermediate', {
    ...below,
    request: requestOf(stage, 'again.csr'),
  })
  t.false('keyAtRest' in requested)
  const made = { request: undefined, certificate: 'b.pem', chain: undefined }
  const key = { place: 'b.key.pem', make }
  t.like(await stage.hold('intermediate', { ...below, ...made, key }), { keyAtRest: 'plain' })
})

test('a passphrase that cannot be used is found in a rehearsal', async t => {
  const stage = await createCeremonyStage(t)
  const script = exampleOf('root', { key: { place: 'root.key.pem', make, passphraseFile } })
  for (const options of [['--check'], []]) {
    t.is(codeOf(await stage.run(script, ...options)), 'key-passphrase-missing')
    t.false(existsSync(stage.path('root.key.pem')))
  }
  writeFileSync(stage.path(passphraseFile), 'correct horse\n', { mode: 0o600 })
  chmodSync(stage.path(passphraseFile), 0o644)
  t.is(codeOf(await stage.run(script, '--check')), 'key-passphrase-exposed')
  chmodSync(stage.path(passphraseFile), 0o600)
  t.is((await stage.run(script, '--check')).status, 0)
})
