import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { thumbprint } from '../../src/core/jose/jwk.ts'
import { openPkcs11Key } from '../../src/hsm/pkcs11-key.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { run } from '../../swtpm/programs.ts'
import { createToken, softHsmModule } from '../../swtpm/soft-hsm.ts'

const pin = '7531'
const label = 'assay test'
const dir = await createPrivateDirectory('pkcs11-test')
const pinSource = join(dir, 'pin')
const modulePath = softHsmModule()
const token = await createToken({ dir: join(dir, 'token'), label, pin, soPin: '86428642' })
// The library reads the environment of its process when it is initialised, which is with the first key.
process.env['SOFTHSM2_CONF'] = token.environment.SOFTHSM2_CONF
await writeFile(pinSource, `${pin}\n`, { mode: 0o600 })

test.after.always(() => discardDirectory(dir))

function uriOf(object: string, tokenLabel = label): string {
  const name = encodeURIComponent(tokenLabel)
  return `pkcs11:token=${name};object=${object}?module-path=${modulePath}`
}

/** Makes a key with another tool than ours. */
async function generate(object: string, type: string, ...options: string[]): Promise<void> {
  const login = ['--module', modulePath, '--token-label', label, '--login', '--pin', pin]
  await run('pkcs11-tool', [
    ...login,
    '--keypairgen',
    '--key-type',
    type,
    '--label',
    object,
    ...options,
  ])
}

async function inProcess(...args: string[]): Promise<string[]> {
  const script = new URL('../hsm/open-key.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args])
  return stdout.trim().split('\n')
}

test.serial('makes a key in the token, and opens the same key again', async t => {
  const made = await openPkcs11Key(uriOf('made'), { pinSource, create: true })
  const opened = await openPkcs11Key(uriOf('made'), { pinSource })
  t.deepEqual(opened.jwk, made.jwk)
  t.is(opened.jkt, thumbprint(opened.jwk))
  t.is(opened.protection, 'pkcs11')
  await made.close()
  await t.notThrowsAsync(opened.sign(Buffer.from('the other key of the session still signs')))
  await opened.close()
  await opened.close()
})

test.serial('a key is not made where there is one of that name', async t => {
  await (await openPkcs11Key(uriOf('single'), { pinSource, create: true })).close()
  await t.throwsAsync(openPkcs11Key(uriOf('single'), { pinSource, create: true }), {
    code: 'pkcs11-key-exists',
  })
  await t.notThrowsAsync(
    openPkcs11Key(uriOf('single'), { pinSource }).then(async key => await key.close()),
  )
})

for (const [type, algorithm, hash, length] of [
  ['EC:prime256v1', 'ES256', 'sha256', 64],
  ['EC:secp384r1', 'ES384', 'sha384', 96],
] as const) {
  test.serial(`a key that pkcs11-tool made as ${type} signs as ${algorithm}`, async t => {
    await generate(algorithm, type, '--id', length.toString(16))
    const key = await openPkcs11Key(uriOf(algorithm), { pinSource })
    t.is(key.algorithm, algorithm)
    const message = Buffer.from('what is signed')
    const signature = await key.sign(message)
    t.is(signature.length, length)
    const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
    const verifier = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
    t.true(verify(hash, message, verifier, signature))
    await key.close()
  })
}

test.serial('a hundred signatures at once are each of their own message', async t => {
  const key = await openPkcs11Key(uriOf('many'), { pinSource, create: true })
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  const messages = Array.from({ length: 100 }, (_, index) => Buffer.from(`message ${index}`))
  const signatures = await Promise.all(messages.map(async message => await key.sign(message)))
  const verifier = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  t.true(
    messages.every((message, index) =>
      verify('sha256', message, verifier, signatures[index] ?? Buffer.of()),
    ),
  )
  await key.close()
})

test.serial('the event loop turns while the token works', async t => {
  const key = await openPkcs11Key(uriOf('loop'), { pinSource, create: true })
  let turns = 0
  const counter = setInterval(() => (turns += 1), 1)
  for (let round = 0; round < 20; round += 1) await key.sign(Buffer.from(`round ${round}`))
  clearInterval(counter)
  t.true(turns > 0)
  await key.close()
})

test.serial('a closed key signs no more', async t => {
  const key = await openPkcs11Key(uriOf('closed'), { pinSource, create: true })
  const other = await openPkcs11Key(uriOf('closed'), { pinSource })
  await key.close()
  await t.throwsAsync(key.sign(Buffer.from('late')), { code: 'pkcs11-failed' })
  await other.close()
})

test.serial('the token is asked for its login once a start, whatever the outcome', async t => {
  await (await openPkcs11Key(uriOf('login'), { pinSource, create: true })).close()
  const wrong = join(dir, 'wrong-pin')
  await writeFile(wrong, '0000', { mode: 0o600 })
  const uri = uriOf('login')
  const outcome = await inProcess(uri, wrong, uri, pinSource, uri, wrong)
  t.deepEqual(outcome, ['pkcs11-pin-wrong', 'pkcs11-pin-wrong', 'pkcs11-pin-wrong'])
  const [first, second] = await inProcess(uri, pinSource, uri, pinSource)
  t.regex(first ?? '', /^[\w-]{43}$/)
  t.is(second, first)
})

test.serial('a PIN is read from a private file alone, which the URI may name', async t => {
  await (await openPkcs11Key(uriOf('pin'), { pinSource, create: true })).close()
  const [named] = await inProcess(`${uriOf('pin')}&pin-source=file:${pinSource}`, '')
  t.regex(named ?? '', /^[\w-]{43}$/)
  await t.throwsAsync(openPkcs11Key(uriOf('pin')), { code: 'pkcs11-pin-absent' })
  const absent = { pinSource: join(dir, 'absent') }
  await t.throwsAsync(openPkcs11Key(uriOf('pin'), absent), { code: 'pkcs11-pin-absent' })
  const empty = join(dir, 'empty')
  await writeFile(empty, '\n', { mode: 0o600 })
  await t.throwsAsync(openPkcs11Key(uriOf('pin'), { pinSource: empty }), {
    code: 'pkcs11-pin-absent',
  })
  const open = join(dir, 'open')
  await writeFile(open, pin)
  await chmod(open, 0o644)
  await t.throwsAsync(openPkcs11Key(uriOf('pin'), { pinSource: open }), {
    code: 'pkcs11-pin-exposed',
  })
})

test.serial(
  'a key that is not there, a token that is not there, no module: each has its code',
  async t => {
    const code = async (uri: string): Promise<unknown> =>
      await t.throwsAsync(openPkcs11Key(uri, { pinSource }))
    t.like(await code(uriOf('nobody')), { code: 'pkcs11-key-absent' })
    t.like(await code(uriOf('made', 'nowhere')), { code: 'pkcs11-token-absent' })
    t.like(await code('pkcs11:object=a?module-path=/nowhere.so'), { code: 'pkcs11-module' })
    t.like(await code(`pkcs11:object=a?module-path=${pinSource}`), { code: 'pkcs11-module' })
  },
)

test.serial('two keys of one label are told apart by their id', async t => {
  await generate('twin', 'EC:prime256v1', '--id', 'a1')
  await generate('twin', 'EC:prime256v1', '--id', 'a2')
  await t.throwsAsync(openPkcs11Key(uriOf('twin'), { pinSource }), { code: 'pkcs11-key-ambiguous' })
  const first = await openPkcs11Key(uriOf('twin;id=%a1'), { pinSource })
  const second = await openPkcs11Key(uriOf('twin;id=%a2'), { pinSource })
  t.not(first.jkt, second.jkt)
  await first.close()
  await second.close()
})

test.serial('a key that was brought into the token is refused', async t => {
  const file = join(dir, 'outside.pem')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  await run('softhsm2-util', [
    '--import',
    file,
    '--token',
    label,
    '--label',
    'outside',
    '--id',
    'b1',
    '--pin',
    pin,
  ])
  await t.throwsAsync(openPkcs11Key(uriOf('outside'), { pinSource }), {
    code: 'pkcs11-key-not-local',
  })
})

test.serial('a key that may leave the token is refused', async t => {
  await generate('leaving', 'EC:prime256v1', '--id', 'b2', '--extractable')
  await t.throwsAsync(openPkcs11Key(uriOf('leaving'), { pinSource }), {
    code: 'pkcs11-key-extractable',
  })
})

for (const [what, type] of [
  ['an RSA key', 'rsa:2048'],
  ['a key on a curve that no algorithm here has', 'EC:secp521r1'],
] as const) {
  test.serial(`${what} is refused`, async t => {
    await generate(type.replace(':', '-'), type, '--id', 'c1')
    await t.throwsAsync(openPkcs11Key(uriOf(type.replace(':', '-')), { pinSource }), {
      code: 'pkcs11-key-unsuitable',
    })
  })
}

test.serial('of several tokens the URI must name one', async t => {
  await createToken({ dir: join(dir, 'token'), label: 'second', pin, soPin: '86428642' })
  const everywhere = `pkcs11:object=made?module-path=${modulePath}`
  const [ambiguous, named] = await inProcess(everywhere, pinSource, uriOf('made'), pinSource)
  t.is(ambiguous, 'pkcs11-token-ambiguous')
  t.regex(named ?? '', /^[\w-]{43}$/)
})
