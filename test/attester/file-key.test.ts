import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createFileKey, KeyFileError, openFileKey } from '../../src/attester/file-key.ts'
import { PrivateFileError } from '../../src/attester/private-file.ts'
import { thumbprint } from '../../src/core/jose/jwk.ts'

async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-key-'))
  t.teardown(async () => await rm(directory, { recursive: true, force: true }))
  return directory
}

test('a key file is made with mode 0600 and opens as the same key', async t => {
  const path = join(await scratch(t), 'key.pem')
  const made = await createFileKey(path)
  t.is((await stat(path)).mode & 0o777, 0o600)
  const opened = await openFileKey(path)
  t.deepEqual(opened.jwk, made.jwk)
  t.is(opened.jkt, thumbprint(made.jwk))
  t.is(opened.protection, 'file')
  t.is(opened.algorithm, 'ES256')
})

for (const [curve, algorithm, hash, length] of [
  ['P-256', 'ES256', 'sha256', 64],
  ['P-384', 'ES384', 'sha384', 96],
] as const) {
  test(`a key on ${curve} signs as ${algorithm} does: r and s of fixed width`, async t => {
    const path = join(await scratch(t), 'key.pem')
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
    await writeFile(path, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
    const key = await openFileKey(path)
    t.is(key.algorithm, algorithm)
    const message = Buffer.from('what is signed')
    const signature = await key.sign(message)
    t.is(signature.length, length)
    const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
    t.true(verify(hash, message, options, signature))
    t.false(verify(hash, Buffer.from('another'), options, signature))
    await key.close()
    await key.close()
  })
}

for (const mode of [0o644, 0o640, 0o604, 0o620, 0o660]) {
  test(`refuses a key file of mode ${mode.toString(8)}, and takes it back at 600`, async t => {
    const path = join(await scratch(t), 'key.pem')
    await createFileKey(path)
    await chmod(path, mode)
    const error = await t.throwsAsync(openFileKey(path), { instanceOf: PrivateFileError })
    t.is(error.code, 'private-file-exposed')
    await chmod(path, 0o600)
    await t.notThrowsAsync(openFileKey(path))
  })
}

test('never writes over a file, nor through a link to nowhere', async t => {
  const directory = await scratch(t)
  const path = join(directory, 'key.pem')
  await createFileKey(path)
  const before = await readFile(path, 'utf8')
  const error = await t.throwsAsync(createFileKey(path), { instanceOf: PrivateFileError })
  t.is(error.code, 'private-file-exists')
  t.is(await readFile(path, 'utf8'), before)
  await symlink(join(directory, 'elsewhere.pem'), join(directory, 'link.pem'))
  await t.throwsAsync(createFileKey(join(directory, 'link.pem')), { code: 'private-file-exists' })
})

test('a file that is not there has its code, and its path among the facts', async t => {
  const path = join(await scratch(t), 'absent.pem')
  const error = await t.throwsAsync(openFileKey(path), { instanceOf: PrivateFileError })
  t.is(error.code, 'private-file-missing')
  t.is(error.found, path)
})

const unusable: readonly (readonly [string, () => string | Buffer])[] = [
  ['nothing', () => ''],
  ['a text', () => 'hello'],
  ['a public key', () => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)],
  [
    'an RSA key',
    () =>
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        format: 'pem',
        type: 'pkcs8',
      }),
  ],
  [
    'a key on a curve that no algorithm here has',
    () =>
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({
        format: 'pem',
        type: 'pkcs8',
      }),
  ],
  [
    'an Ed25519 key',
    () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
  ],
  [
    'a key under a passphrase',
    () =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
        format: 'pem',
        type: 'pkcs8',
        cipher: 'aes-256-cbc',
        passphrase: 'secret',
      }),
  ],
]

function pem(key: ReturnType<typeof createPublicKey>): string | Buffer {
  return key.export({ format: 'pem', type: 'spki' })
}

for (const [what, text] of unusable) {
  test(`refuses a file that holds ${what}`, async t => {
    const path = join(await scratch(t), 'key.pem')
    await writeFile(path, text(), { mode: 0o600 })
    const error = await t.throwsAsync(openFileKey(path), { instanceOf: KeyFileError })
    t.is(error.code, 'key-file-malformed')
  })
}

test('refuses a file larger than any key', async t => {
  const path = join(await scratch(t), 'key.pem')
  await writeFile(path, Buffer.alloc(1024 * 1024 + 1, 0x20), { mode: 0o600 })
  await t.throwsAsync(openFileKey(path), { code: 'private-file-large' })
})
