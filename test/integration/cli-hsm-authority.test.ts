import { mkdirSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { createStage } from './cli-fixtures.ts'

const pin = '86420'
const place = await createPrivateDirectory('assay-hsm-authority')
const token = await createToken({
  dir: join(place, 'token'),
  label: 'authority',
  pin,
  soPin: '86428642',
})
mkdirSync(join(place, 'double'))
const double = await createPkcs11Double(join(place, 'double'), token.modulePath)
const pinFile = join(place, 'pin')
await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
const stage = await createStage(token.environment)
const { assay, issuer, directory } = stage
const uri = (name: string): string =>
  `pkcs11:token=authority;object=${name}?module-path=${double.modulePath}&pin-source=${pinFile}`

test.after.always(async () => {
  await stage.close()
  discardDirectory(place)
})

let fingerprint = ''

async function read(path: string): Promise<string> {
  const client = ServiceClient.create({ issuer, trust: { fingerprint } })
  return JSON.stringify(await client.request('GET', path))
}

/** A loaded machine is slower than any token; what is told to be slow here has tests of its own. */
async function allowTime(): Promise<void> {
  const path = join(directory, 'data', 'config.yaml')
  const config = await readFile(path, 'utf8')
  await writeFile(path, config.replace(/deadlineMs: \d+/, 'deadlineMs: 20000'))
}

async function until(path: string, wanted: RegExp): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    if (wanted.test(await read(path))) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`not in time: ${String(wanted)}`)
}

test.serial('the keys of a service are made in the token, and are nowhere else', async t => {
  const log = ['--log-signing-key', uri('log')]
  const places = ['--issuing-key', uri('ca'), '--token-key', uri('tokens'), ...log]
  const made = await assay(['init', '--issuer', issuer, ...places, '--json'])
  t.is(made.status, 0, made.stderr)
  fingerprint = String(made.json()['fingerprint'])
  await allowTime()
  await stage.serve()
  const listed = await assay(['operator', 'list'])
  t.is(listed.status, 0, listed.stderr)
  t.is(
    await read('/readyz'),
    '{"status":"ready","signers":{"issuing":"up","log":"up","token":"up"}}',
  )
  const names = await readdir(directory, { recursive: true })
  t.false(names.some(name => /(issuing|token|log)\.key\.pem$/.test(name)))
  const config = names.find(name => name.endsWith('config.yaml')) ?? ''
  t.false((await readFile(join(directory, config), 'utf8')).includes(pin))
})

test.serial('without its token a service says so, and answers what needs no signature', async t => {
  await double.control({ call: '*', answer: { code: 0x32 } })
  await until('/readyz', /"issuing":"hsm_down","log":"hsm_down","token":"hsm_down"/)
  t.is(
    await read('/readyz'),
    '{"status":"hsm_down","signers":{"issuing":"hsm_down","log":"hsm_down","token":"hsm_down"}}',
  )
  t.regex(await read('/oauth/jwks'), /"kid"/)
  t.regex(await read('/v1/bundle'), /x509-svid/)
  const refused = await assay(['operator', 'list'])
  t.is(refused.status, 1)
  t.regex(refused.stderr, /does not answer now/)
  await double.control()
  await until('/readyz', /"status":"ready"/)
  const listed = await assay(['operator', 'list'])
  t.is(listed.status, 0, listed.stderr)
})

test.serial('each change of a signer is one line of the audit log', async t => {
  const shown = await assay(['audit', 'show', '--type', 'signer', '--json'])
  t.is(shown.status, 0, shown.stderr)
  const { entries } = shown.json() as unknown as { entries: { type: string; subject: string }[] }
  t.deepEqual(entries.map(({ type, subject }) => `${type} ${subject}`).toSorted(), [
    'signer.down signer/issuing',
    'signer.down signer/log',
    'signer.down signer/token',
    'signer.up signer/issuing',
    'signer.up signer/log',
    'signer.up signer/token',
  ])
})

test.serial('what was written while the token was away is signed, and the log holds', async t => {
  const verified = await assay(['audit', 'verify', '--json'])
  t.is(verified.status, 0, verified.stderr)
})

test.serial('the next key of tokens is made in the token, and signs', async t => {
  const jwks = async (): Promise<number> => (await read('/oauth/jwks')).split('"kid"').length - 1
  const rotated = await assay(['key', 'rotate', '--force', '--reason', 'a test', '--json'])
  t.is(rotated.status, 0, rotated.stderr)
  t.like(rotated.json(), { state: 'signing', place: 'pkcs11' })
  t.is(await jwks(), 2)
  // A token for the next command is signed by it.
  const listed = await assay(['key', 'list', '--json'])
  t.is(listed.status, 0, listed.stderr)
  const { keys } = listed.json() as unknown as { keys: { kid: string; state: string }[] }
  t.deepEqual(
    keys.map(({ state }) => state),
    ['retiring', 'signing'],
  )
  t.regex(await read('/readyz'), /"token":"up"/)
  const retired = await assay(['key', 'retire', String(keys[0]?.kid), '--reason', 'a test'])
  t.is(retired.status, 0, retired.stderr)
  t.is(await jwks(), 1)
  const names = await readdir(directory, { recursive: true })
  t.false(names.some(name => /token-[0-9a-f]+\.key\.pem$/.test(name)))
})
