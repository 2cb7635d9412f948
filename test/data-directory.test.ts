import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { parseConfig } from '../src/config.ts'
import { encodePlainKey } from '../src/hsm/key-cipher.ts'
import { encodePrivacyKey } from '../src/hsm/privacy-key.ts'
import { createDataDirectory, isInitialised, loadDataDirectory } from '../src/data-directory.ts'

const config = parseConfig('issuer: https://assay.example\ntrustDomain: example.org\n', 'x')

function createFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-data-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

async function createDirectory(t: ExecutionContext): Promise<string> {
  const directory = join(createFolder(t), 'service')
  await createDataDirectory(directory, config)
  return directory
}

const secrets = [
  'ca/root.key.pem',
  'ca/issuing.key.pem',
  'keys/token.key.pem',
  'keys/log.key.pem',
  'keys/privacy.key.pem',
  'passphrase',
]

test('a data directory reads back to what was made, with a chain that verifies', async t => {
  const directory = await createDirectory(t)
  t.true(isInitialised(directory))
  const data = loadDataDirectory(directory)
  t.deepEqual(data.config, config)
  t.is(data.privacyKey.length, 32)
  const [issuing, root] = data.chain.map(der => new X509Certificate(der))
  t.true(root !== undefined && issuing?.verify(root.publicKey))
})

test('nothing of it can be read by others', async t => {
  const directory = await createDirectory(t)
  for (const folder of ['', 'ca', 'keys'])
    t.is(statSync(join(directory, folder)).mode & 0o777, 0o700)
  for (const name of [...secrets, 'config.yaml', 'ca/root.pem', 'ca/issuing.pem'])
    t.is(statSync(join(directory, name)).mode & 0o777, 0o600, name)
})

test('a directory that holds a service is left as it is', async t => {
  const directory = await createDirectory(t)
  const before = readFileSync(join(directory, 'ca/root.key.pem'))
  await t.throwsAsync(createDataDirectory(directory, config), { code: 'config-exists' })
  t.deepEqual(readFileSync(join(directory, 'ca/root.key.pem')), before)
})

test('a half-made directory is not taken for a service, and its keys are not overwritten', async t => {
  const directory = await createDirectory(t)
  rmSync(join(directory, 'config.yaml'))
  t.false(isInitialised(directory))
  await t.throwsAsync(createDataDirectory(directory, config), { code: 'config-exists' })
  t.throws(() => loadDataDirectory(directory), { code: 'config-missing' })
})

test('where nothing can be written, that is said', async t => {
  const file = join(createFolder(t), 'a-file')
  writeFileSync(file, '')
  await t.throwsAsync(createDataDirectory(join(file, 'service'), config), {
    code: 'config-unwritable',
  })
})

for (const name of secrets.filter(secret => secret !== 'ca/root.key.pem')) {
  test(`refuses ${name} when others may read it, and when it is gone`, async t => {
    const directory = await createDirectory(t)
    chmodSync(join(directory, name), 0o640)
    const load = (): unknown => loadDataDirectory(directory).firstTokenKey()
    t.throws(load, { code: 'config-exposed' })
    rmSync(join(directory, name))
    const code = name === 'passphrase' ? 'key-passphrase-missing' : 'config-missing'
    t.throws(load, { code })
  })
}

test('refuses a directory that others may enter', async t => {
  const directory = await createDirectory(t)
  chmodSync(directory, 0o750)
  t.throws(() => loadDataDirectory(directory), { code: 'config-exposed' })
})

test('the root’s private key may be elsewhere', async t => {
  const directory = await createDirectory(t)
  rmSync(join(directory, 'ca/root.key.pem'))
  t.false(existsSync(join(directory, 'ca/root.key.pem')))
  t.notThrows(() => loadDataDirectory(directory))
})

test('refuses parts that do not belong together or cannot be read', async t => {
  const directory = await createDirectory(t)
  const other = await createDirectory(t)
  const exchanges: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['ca/root.pem', readFileSync(join(other, 'ca/root.pem')), 'config-malformed'],
    ['ca/issuing.pem', readFileSync(join(other, 'ca/issuing.pem')), 'config-malformed'],
    ['ca/issuing.key.pem', newKeyPem(), 'config-malformed'],
    ['ca/issuing.key.pem', encodePlainKey(Buffer.from('3000', 'hex')), 'config-malformed'],
    ['ca/issuing.key.pem', readFileSync(join(other, 'ca/issuing.key.pem')), 'key-passphrase-wrong'],
    ['ca/issuing.key.pem', 'no key', 'key-malformed'],
    ['ca/root.pem', 'no certificate', 'config-malformed'],
    ['keys/privacy.key.pem', newKeyPem(), 'key-malformed'],
    ['keys/privacy.key.pem', encodePlainKey(encodePrivacyKey(new Uint8Array(31))), 'key-malformed'],
  ]
  for (const [name, content, code] of exchanges) {
    const path = join(directory, name)
    const before = readFileSync(path)
    writeFileSync(path, content)
    t.throws(() => loadDataDirectory(directory), { code }, name)
    writeFileSync(path, before)
  }
  t.notThrows(() => loadDataDirectory(directory))
})
