import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { createStage, type Serving } from './cli-fixtures.ts'

const stage = await createStage()
const { assay, issuer, directory } = stage
const data = join(directory, 'data')
test.after.always(async () => await stage.close())

let fingerprint = ''
let serving: Serving | undefined

async function stop(): Promise<string> {
  const { stderr = '' } = (await serving?.stop()) ?? {}
  serving = undefined
  return stderr
}

interface ShownKey {
  readonly kid: string
  readonly state: string
}

async function listKeys(): Promise<ShownKey[]> {
  const listed = await assay(['key', 'list', '--json'])
  return listed.json()['keys'] ?? []
}

async function publishedKids(): Promise<string[]> {
  const client = ServiceClient.create({ issuer, trust: { fingerprint } })
  try {
    const { keys } = (await client.request('GET', '/oauth/jwks')) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  } finally {
    await client.close()
  }
}

test.serial('init leaves no key in clear, and openssl opens each with the passphrase', async t => {
  const made = await assay(['init', '--issuer', issuer, '--json'])
  t.is(made.status, 0, made.stderr)
  fingerprint = String(made.json()['fingerprint'])
  const names = ['ca/root', 'ca/issuing', 'keys/token', 'keys/log'].map(name => `${name}.key.pem`)
  const passin = `file:${join(data, 'passphrase')}`
  for (const name of names) {
    const args = ['pkey', '-in', join(data, name), '-passin', passin]
    t.notThrows(() => createPrivateKey(execFileSync('openssl', args)), name)
  }
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
  for (const name of files.filter(file => /\.(pem|bin)$/.test(file)))
    t.notRegex(readFileSync(join(data, name), 'utf8'), /-BEGIN PRIVATE KEY-/, name)
})

test.serial('keys of tokens are turned over and taken out, over a restart', async t => {
  serving = await stage.serve()
  const [first] = await listKeys()
  const rotated = await assay(['key', 'rotate', '--json'])
  t.is(rotated.status, 0, rotated.stderr)
  t.like(rotated.json(), { state: 'announced', place: 'embedded' })
  const second = String(rotated.json()['kid'])
  t.deepEqual(await publishedKids(), [first?.kid, second])
  t.is((await assay(['key', 'rotate'])).code, 'token-key-conflict')
  t.is((await assay(['key', 'rotate', '--force'])).code, 'request-malformed')
  await stop()
  serving = await stage.serve()
  t.deepEqual(await publishedKids(), [first?.kid, second])
  const forced = await assay(['key', 'rotate', '--force', '--reason', 'a test', '--json'])
  t.like(forced.json(), { kid: second, state: 'signing' })
  const retired = await assay(['key', 'retire', String(first?.kid).slice(0, 12), '--reason', 'x'])
  t.is(retired.status, 0, retired.stderr)
  t.regex(retired.stdout, /retired/)
  t.deepEqual(await publishedKids(), [second])
  t.deepEqual(
    (await listKeys()).map(({ state }) => state),
    ['retired', 'signing'],
  )
  t.is((await assay(['key', 'encrypt'])).code, undefined)
  t.is((await assay(['key', 'passphrase'])).code, 'store-in-use')
  t.false(existsSync(join(data, 'passphrase.next')))
  await stop()
})

test.serial('a service does not start without its passphrase or with another one', async t => {
  const passphrase = join(data, 'passphrase')
  const before = readFileSync(passphrase)
  writeFileSync(passphrase, 'another\n')
  t.is((await assay(['serve'])).code, 'key-passphrase-wrong')
  rmSync(passphrase)
  const missing = await assay(['serve'])
  t.is(missing.code, 'key-passphrase-missing')
  t.false(missing.stderr.includes(before.toString().trim()))
  const file = join(directory, 'outside')
  writeFileSync(file, before, { mode: 0o600 })
  const next = join(directory, 'next')
  writeFileSync(next, 'the next one\n', { mode: 0o600 })
  const env = { ASSAY_KEY_PASSPHRASE_FILE: file }
  const changed = await assay(['key', 'passphrase', '--new-passphrase-file', next, '--json'], {
    env,
  })
  t.is(changed.status, 0, changed.stderr)
  t.like(changed.json(), { passphrase: 'file' })
  t.is((await assay(['serve'], { env })).code, 'key-passphrase-wrong')
  const args = ['pkey', '-in', join(data, 'keys/log.key.pem'), '-passin', `file:${next}`]
  t.notThrows(() => execFileSync('openssl', args))
  // The start reads it from the directory again.
  writeFileSync(passphrase, 'the next one\n', { mode: 0o600 })
  serving = await stage.serve()
  t.deepEqual(
    (await listKeys()).map(({ state }) => state),
    ['retired', 'signing'],
  )
})

test.serial('keys in clear are warned of until they are encrypted', async t => {
  await stop()
  const path = join(data, 'keys/log.key.pem')
  const key = createPrivateKey({ key: readFileSync(path), passphrase: 'the next one' })
  writeFileSync(path, key.export({ format: 'pem', type: 'pkcs8' }))
  serving = await stage.serve()
  t.regex(
    await stop(),
    /keys are not encrypted.*keys\/log\.key\.pem|keys\/log\.key\.pem.*keys are not encrypted/,
  )
  const encrypted = await assay(['key', 'encrypt', '--json'])
  t.like(encrypted.json(), { written: 1, passphrase: 'data' })
  serving = await stage.serve()
  const stderr = await stop()
  t.notRegex(stderr, /not encrypted/)
  t.notRegex(stderr, /the next one/)
})
