import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { until } from '../support/until.ts'
import { createStage } from './cli-fixtures.ts'
import { createTokenBehindDouble } from './token-behind-double.ts'

const token = await createTokenBehindDouble('assay-hsm-authority')
const stage = await createStage(token.environment)
const { assay, issuer, directory } = stage
const { uri } = token

test.after.always(async () => {
  await stage.close()
  token.discard()
})

let fingerprint = ''

async function read(path: string): Promise<string> {
  const client = ServiceClient.create({ issuer, trust: { fingerprint } })
  return JSON.stringify(await client.request('GET', path))
}

test.serial('the keys of a service are made in the token, and are nowhere else', async t => {
  const log = ['--log-signing-key', uri('log')]
  const places = ['--issuing-key', uri('ca'), '--token-key', uri('tokens'), ...log]
  const made = await assay(['init', '--issuer', issuer, ...places, '--json'])
  t.is(made.status, 0, made.stderr)
  fingerprint = String(made.json()['fingerprint'])
  await stage.allowTime(20_000)
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
  t.false((await readFile(join(directory, config), 'utf8')).includes(token.pin))
})

test.serial('without its token a service says so, and answers what needs no signature', async t => {
  await token.double.control({ call: '*', answer: { code: 0x32 } })
  await until(async () =>
    /"issuing":"hsm_down","log":"hsm_down","token":"hsm_down"/.test(await read('/readyz')),
  )
  t.is(
    await read('/readyz'),
    '{"status":"hsm_down","signers":{"issuing":"hsm_down","log":"hsm_down","token":"hsm_down"}}',
  )
  t.regex(await read('/oauth/jwks'), /"kid"/)
  t.regex(await read('/v1/bundle'), /x509-svid/)
  const refused = await assay(['operator', 'list'])
  t.is(refused.status, 1)
  t.regex(refused.stderr, /does not answer now/)
  await token.double.control()
  await until(async () => /"status":"ready"/.test(await read('/readyz')))
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
