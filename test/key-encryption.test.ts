import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { exportJwk } from '../src/core/jose/jwk.ts'
import { parseConfig } from '../src/config.ts'
import { loadDataDirectory } from '../src/data-directory.ts'
import { isEncryptedKey } from '../src/hsm/key-cipher.ts'
import { createTokenKeyFiles } from '../src/hsm/token-key-files.ts'
import { changePassphrase, encryptKeys } from '../src/key-encryption.ts'
import { loadPassphrases } from '../src/key-passphrase.ts'
import { initialiseService } from '../src/main.ts'

const keys = ['ca/root.key.pem', 'ca/issuing.key.pem', 'keys/token.key.pem', 'keys/log.key.pem']

function createFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-keys-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function createDirectory(t: ExecutionContext): Promise<string> {
  const dataDirectory = join(createFolder(t), 'service')
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await initialiseService({
    dataDirectory,
    config: parseConfig('issuer: https://assay.example\ntrustDomain: example.org\n', 'x'),
    operator: {
      name: 'a',
      role: 'administrator',
      keyProtection: 'file',
      jwk: exportJwk(publicKey),
    },
  })
  return dataDirectory
}

/** As data directories were before keys were encrypted. */
function makePlain(directory: string): void {
  const passphrase = readFileSync(join(directory, 'passphrase'), 'utf8').trimEnd()
  for (const name of keys) {
    const key = createPrivateKey({ key: readFileSync(join(directory, name)), passphrase })
    writeFileSync(join(directory, name), key.export({ format: 'pem', type: 'pkcs8' }))
  }
  const { privacyKey } = loadDataDirectory(directory)
  writeFileSync(join(directory, 'keys/privacy.bin'), privacyKey, { mode: 0o600 })
  unlinkSync(join(directory, 'keys/privacy.key.pem'))
  unlinkSync(join(directory, 'passphrase'))
}

function secretsOf(directory: string, file?: string): unknown {
  const data = loadDataDirectory(directory, { file })
  const tokenKey = data.tokenKeyFiles.read('token.key.pem')
  const privacyKey = Buffer.from(data.privacyKey).toString('hex')
  return { tokenKey, logKey: data.logKey, privacyKey }
}

function writePassphrase(t: ExecutionContext, text: string, mode = 0o600): string {
  const path = join(createFolder(t), 'passphrase')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('a new directory has no key in clear, and a passphrase of its own', async t => {
  const directory = await createDirectory(t)
  t.deepEqual(loadDataDirectory(directory).plainKeys, [])
  for (const name of [...keys, 'keys/privacy.key.pem'])
    t.true(isEncryptedKey(readFileSync(join(directory, name), 'utf8')), name)
  t.is(Buffer.from(loadPassphrases(directory, {})[0] ?? '', 'base64url').length, 32)
})

test('a directory with plain keys is read, says so, and is encrypted in place', async t => {
  const directory = await createDirectory(t)
  const before = secretsOf(directory)
  makePlain(directory)
  t.deepEqual(secretsOf(directory), before)
  t.deepEqual(
    loadDataDirectory(directory).plainKeys.toSorted(),
    [...keys, 'keys/privacy.bin'].toSorted(),
  )
  t.like(await encryptKeys(directory, {}), { written: 5, passphrase: 'data' })
  t.deepEqual(secretsOf(directory), before)
  t.deepEqual(loadDataDirectory(directory).plainKeys, [])
  t.false(existsSync(join(directory, 'keys/privacy.bin')))
  t.like(await encryptKeys(directory, {}), { written: 0 })
})

test('what a crash left half encrypted is read, and the rest is done the second time', async t => {
  const directory = await createDirectory(t)
  const before = secretsOf(directory)
  const encrypted = keys.map(name => readFileSync(join(directory, name)))
  const privacy = readFileSync(join(directory, 'keys/privacy.key.pem'))
  const passphrase = readFileSync(join(directory, 'passphrase'))
  makePlain(directory)
  // As far as a crash may come: passphrase, two of the keys, a draft, and the privacy key in both forms.
  writeFileSync(join(directory, 'passphrase'), passphrase, { mode: 0o600 })
  for (const index of [0, 2])
    writeFileSync(join(directory, keys[index] ?? ''), encrypted[index] ?? '')
  writeFileSync(join(directory, `${keys[1]}.draft`), 'half a fi', { mode: 0o600 })
  writeFileSync(join(directory, 'keys/privacy.key.pem'), privacy, { mode: 0o600 })
  t.deepEqual(secretsOf(directory), before)
  t.like(await encryptKeys(directory, {}), { written: 3 })
  t.deepEqual(secretsOf(directory), before)
  t.deepEqual(loadDataDirectory(directory).plainKeys, [])
})

test('keys whose passphrase is lost are not given another one', async t => {
  const directory = await createDirectory(t)
  const away = join(createFolder(t), 'passphrase')
  renameSync(join(directory, 'passphrase'), away)
  await t.throwsAsync(encryptKeys(directory, {}), { code: 'key-passphrase-missing' })
  await t.throwsAsync(changePassphrase(directory, {}, undefined), {
    code: 'key-passphrase-missing',
  })
  t.false(existsSync(join(directory, 'passphrase')))
  t.notThrows(() => loadDataDirectory(directory, { file: away }))
})

test('the passphrase is changed to another of the directory, and to one from outside', async t => {
  const directory = await createDirectory(t)
  const before = secretsOf(directory)
  const [first] = loadPassphrases(directory, {})
  t.like(await changePassphrase(directory, {}, undefined), { written: 5, passphrase: 'data' })
  t.notDeepEqual(loadPassphrases(directory, {}), [first])
  t.false(existsSync(join(directory, 'passphrase.next')))
  t.deepEqual(secretsOf(directory), before)
  const file = writePassphrase(t, 'from outside\n')
  t.like(await changePassphrase(directory, {}, file), { written: 5, passphrase: 'file' })
  t.false(existsSync(join(directory, 'passphrase')))
  t.throws(() => loadDataDirectory(directory), { code: 'key-passphrase-missing' })
  t.deepEqual(secretsOf(directory, file), before)
  const wrong = writePassphrase(t, 'another\n')
  t.throws(() => loadDataDirectory(directory, { file: wrong }), { code: 'key-passphrase-wrong' })
  await t.throwsAsync(changePassphrase(directory, { file }, undefined), {
    code: 'key-passphrase-missing',
  })
})

test('where keys are encrypted and the passphrase is gone no further one is written in clear', async t => {
  const directory = await createDirectory(t)
  const { tokenKeyFiles } = loadDataDirectory(directory)
  const places = createTokenKeyFiles(tokenKeyFiles)
  const { keyReference } = await places.create()
  t.true(isEncryptedKey(readFileSync(join(directory, 'keys', keyReference), 'utf8')))
  const count = tokenKeyFiles.list().length
  renameSync(join(directory, 'passphrase'), join(directory, 'elsewhere'))
  await t.throwsAsync(async () => await places.create(), { code: 'key-passphrase-missing' })
  t.is(tokenKeyFiles.list().length, count)
  renameSync(join(directory, 'elsewhere'), join(directory, 'passphrase'))
  await t.notThrowsAsync(async () => await places.create())
})

test('a change to a passphrase that would go with it is refused, and nothing is lost', async t => {
  const directory = await createDirectory(t)
  const before = secretsOf(directory)
  const link = join(createFolder(t), 'link')
  symlinkSync(join(directory, 'passphrase'), link)
  const hard = join(directory, 'another-name')
  linkSync(join(directory, 'passphrase'), hard)
  writeFileSync(join(directory, 'passphrase.next'), 'the next\n', { mode: 0o600 })
  const code = 'key-passphrase-place'
  for (const file of [
    link,
    hard,
    join(directory, 'passphrase'),
    join(directory, 'passphrase.next'),
  ])
    await t.throwsAsync(changePassphrase(directory, {}, file), { code }, file)
  t.deepEqual(secretsOf(directory), before)
  const file = writePassphrase(t, 'from outside\n')
  t.like(await changePassphrase(directory, {}, file), { written: 5 })
  t.deepEqual(secretsOf(directory, file), before)
})

test('a change that a crash interrupted is read, and done the second time', async t => {
  const directory = await createDirectory(t)
  const before = secretsOf(directory)
  const [old] = ['keys/token.key.pem', 'ca/root.key.pem'].map(name => ({
    name,
    pem: readFileSync(join(directory, name)),
  }))
  const passphrase = readFileSync(join(directory, 'passphrase'))
  await changePassphrase(directory, {}, undefined)
  renameSync(join(directory, 'passphrase'), join(directory, 'passphrase.next'))
  writeFileSync(join(directory, 'passphrase'), passphrase, { mode: 0o600 })
  writeFileSync(join(directory, old?.name ?? ''), old?.pem ?? '')
  t.deepEqual(secretsOf(directory), before)
  t.like(await changePassphrase(directory, {}, undefined), { written: 1, passphrase: 'data' })
  t.is(loadPassphrases(directory, {}).length, 1)
  t.deepEqual(secretsOf(directory), before)
})

test('the file that is named counts before the credential, and that before the directory', async t => {
  const directory = await createDirectory(t)
  const credentials = createFolder(t)
  const sources = { credentials }
  const [own] = loadPassphrases(directory, sources)
  t.is(Buffer.from(own ?? '', 'base64url').length, 32)
  // systemd shows the mask of an access list as rights of the group.
  writeFileSync(join(credentials, 'assay-key-passphrase'), 'of systemd', { mode: 0o440 })
  t.deepEqual(loadPassphrases(directory, sources), ['of systemd'])
  const file = writePassphrase(t, 'of a file\r\n')
  t.deepEqual(loadPassphrases(directory, { ...sources, file }), ['of a file'])
  t.throws(() => loadPassphrases(directory, { ...sources, file: `${file}.absent` }), {
    code: 'key-passphrase-missing',
  })
})

test('refuses a passphrase that others may read, and what is none', t => {
  const directory = createFolder(t)
  mkdirSync(join(directory, 'x'))
  const file = (text: string, mode?: number): (() => unknown) => {
    const path = writePassphrase(t, text, mode)
    return () => loadPassphrases(directory, { file: path })
  }
  t.notThrows(file('a'.repeat(1000)))
  t.throws(file('secret', 0o640), { code: 'key-passphrase-exposed' })
  for (const text of ['', '\n', 'two\nlines\n', 'nul\0', 'a'.repeat(1001)])
    t.throws(file(text), { code: 'key-passphrase-unusable' })
})
