import { createPublicKey, verify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Hierarchy, Tpm, type TpmHandle } from '../../native/index.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { AttesterError, type AttesterErrorCode } from '../../src/attester/error.ts'
import { createTpmKey, openTpmKey } from '../../src/attester/tpm-key.ts'
import { encodeTss2Key, parseTss2Key } from '../../src/attester/tss2-key.ts'
import { subjectKeyTemplate } from '../../src/core/tpm/templates.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { run } from '../../swtpm/programs.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, empty, octets, primary, sized, templates } from './native-fixtures.ts'

const bench = await startTestBench()
const scratch = await createPrivateDirectory('tpm-key')
test.after.always(async () => {
  await bench.stop()
  discardDirectory(scratch)
})

const message = Buffer.from('what is signed')

function isSignature(key: ClientKey, signature: Uint8Array, over: Uint8Array = message): boolean {
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  return verify('sha256', over, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

async function refuses(
  t: ExecutionContext,
  attempt: Promise<unknown>,
  code: AttesterErrorCode,
): Promise<void> {
  t.is((await t.throwsAsync(attempt, { instanceOf: AttesterError })).code, code)
}

test.serial('signs with a key that it created, and flushes it', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const pem = await createTpmKey(tpm, { description: 'a key' })
  t.is(parseTss2Key(pem).description, 'a key')
  t.deepEqual(await census(tpm), empty)
  const key = await openTpmKey(tpm, pem)
  t.is(key.protection, 'tpm')
  t.is(key.algorithm, 'ES256')
  t.true(isSignature(key, await key.sign(message)))
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial('opens a connection of its own for a TCTI string, and closes it', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const key = await openTpmKey(bench.tcti, await createTpmKey(tpm))
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial(
  'signs a hundred times at once with ten keys over two connections and three slots',
  async t => {
    await using one = await Tpm.open(bench.tcti)
    await using other = await Tpm.open(bench.tcti)
    const keys: ClientKey[] = []
    for (let i = 0; i < 10; i += 1) {
      keys.push(await openTpmKey(i % 2 === 0 ? one : other, await createTpmKey(one)))
    }
    const signed = Array.from({ length: 100 }, async (_, i) => {
      const key = keys[i % 10] as ClientKey
      const over = Buffer.from(`message ${i}`)
      return isSignature(key, await key.sign(over), over)
    })
    t.true((await Promise.all(signed)).every(Boolean))
    await Promise.all(keys.map(async key => await key.close()))
    t.deepEqual(await census(one), empty)
  },
)

test.serial('signs after a reset of the TPM', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const key = await openTpmKey(tpm, await createTpmKey(tpm))
  t.true(isSignature(key, await key.sign(message)))
  await bench.reset('abrupt')
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial(
  'never gives the signature of another key that lies at its handle after a reset',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const key = await openTpmKey(tpm, await createTpmKey(tpm))
    await key.sign(message)
    await bench.reset()
    await using stranger = await Tpm.open(bench.tcti)
    // The handles that were given out before: to the parent, and to the key.
    const taken = [
      await primary(stranger, templates.signingKey),
      await primary(stranger, templates.signingKey),
    ]
    t.deepEqual(
      taken.map(({ tpmHandle }) => tpmHandle),
      [0x8000_0000, 0x8000_0001],
    )
    await stranger.flush(taken[0] as TpmHandle)
    t.true(isSignature(key, await key.sign(message)))
    await key.close()
  },
)

test.serial('proves the authValue of a key without sending it', async t => {
  const bus: Buffer[] = []
  const proxy = await startProxy({
    target: bench.socketPath,
    path: join(scratch, 'bus'),
    observe: (command, answer) => bus.push(command, answer),
  })
  const auth = Buffer.from('the value of a key')
  await using tpm = await Tpm.open(proxy.tcti)
  const pem = await createTpmKey(tpm, { auth })
  await refuses(t, openTpmKey(tpm, pem), 'tss2-authorization')
  const key = await openTpmKey(tpm, pem, { auth })
  t.true(isSignature(key, await key.sign(message)))
  t.false(Buffer.concat(bus).includes(auth))
  const wrong = await openTpmKey(tpm, pem, { auth: Buffer.from('another') })
  await refuses(t, wrong.sign(message), 'tss2-authorization')
  await key.close()
  t.deepEqual(await census(tpm), empty)
  await tpm.close()
  await proxy.stop()
})

test.serial('refuses a key that another TPM wrapped', async t => {
  const other = await startTestBench()
  await using foreign = await Tpm.open(other.tcti)
  const pem = await createTpmKey(foreign)
  await foreign.close()
  await other.stop()
  await using tpm = await Tpm.open(bench.tcti)
  const key = await openTpmKey(tpm, pem)
  await refuses(t, key.sign(message), 'tss2-foreign')
  t.deepEqual(await census(tpm), empty)
})

test.serial('refuses kinds, policies and parents that it does not serve', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const key = parseTss2Key(await createTpmKey(tpm))
  const opened = async (change: object): Promise<unknown> =>
    await openTpmKey(tpm, encodeTss2Key({ ...key, ...change }))
  await refuses(t, opened({ kind: 'importable' }), 'tss2-kind')
  await refuses(t, opened({ kind: 'sealed' }), 'tss2-kind')
  await refuses(
    t,
    opened({ policy: [{ commandCode: 0x16b, commandPolicy: new Uint8Array() }] }),
    'tss2-policy',
  )
  for (const parent of [
    Hierarchy.null,
    Hierarchy.platform,
    Hierarchy.endorsement,
    0x8000_0000,
    0x0100_0000,
  ]) {
    await refuses(t, opened({ parent }), 'tss2-parent')
  }
  await t.notThrowsAsync(opened({}))
})

test.serial('makes a key file that tpm2-tools load and sign with', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const pem = await createTpmKey(tpm)
  const { public: area, private: wrapped } = parseTss2Key(pem)
  const at = (name: string): string => join(scratch, name)
  await writeFile(at('key.pub'), sized(area))
  await writeFile(at('key.priv'), sized(wrapped))
  await writeFile(at('message'), message)
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'
  const tcti = ['-T', bench.tcti]
  const parent = ['-G', 'ecc256:null:aes128cfb', '-a', attributes, '-c', at('parent.ctx')]
  await run('tpm2_createprimary', [...tcti, '-C', 'o', ...parent])
  await run('tpm2_flushcontext', [...tcti, '-t'])
  await run('tpm2_load', [
    ...tcti,
    '-C',
    at('parent.ctx'),
    '-u',
    at('key.pub'),
    '-r',
    at('key.priv'),
    '-c',
    at('key.ctx'),
  ])
  await run('tpm2_flushcontext', [...tcti, '-t'])
  await run('tpm2_sign', [
    ...tcti,
    '-c',
    at('key.ctx'),
    '-g',
    'sha256',
    '-f',
    'plain',
    '-o',
    at('signature'),
    at('message'),
  ])
  await run('tpm2_flushcontext', [...tcti, '-t'])
  const key = await openTpmKey(tpm, pem)
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  t.true(verify('sha256', message, publicKey, await readFile(at('signature'))))
  t.deepEqual(await census(tpm), empty)
})

test.serial('signs with a key file that tpm2-tools made, which write TRUE as 01', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const at = (name: string): string => join(scratch, name)
  const tcti = ['-T', bench.tcti]
  const root = [
    '-G',
    'ecc256:null:aes128cfb',
    '-a',
    'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt',
  ]
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
  const parts = ['-u', at('made.pub'), '-r', at('made.priv')]
  await run('tpm2_createprimary', [...tcti, '-C', 'o', ...root, '-c', at('root.ctx')])
  await run('tpm2_create', [
    ...tcti,
    '-C',
    at('root.ctx'),
    '-G',
    'ecc256',
    '-a',
    attributes,
    ...parts,
  ])
  await run('tpm2_flushcontext', [...tcti, '-t'])
  // -p says of the key that its authValue is empty; the tool leaves a session behind.
  await run('tpm2_encodeobject', [
    ...tcti,
    '-C',
    at('root.ctx'),
    ...parts,
    '-p',
    '-o',
    at('made.pem'),
  ])
  await run('tpm2_flushcontext', [...tcti, '-t'])
  await run('tpm2_flushcontext', [...tcti, '-l'])
  const pem = await readFile(at('made.pem'), 'utf8')
  t.true(
    Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64').includes(octets('a003010101')),
  )
  const key = await openTpmKey(tpm, pem)
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  t.deepEqual(await census(tpm), empty)
})

for (const [what, template, extra] of [
  [
    'a P-256 primary key subject to dictionary-attack protection',
    octets('0023 000b 00030072 0000 0006 0080 0043 0010 0003 0010 0000 0000'),
    {},
  ],
  [
    'an RSA-2048 primary key',
    octets('0001 000b 00030472 0000 0006 0080 0043 0010 0800 00000000 0000'),
    { rsaParent: true },
  ],
  [
    'an RSA-2048 primary key subject to dictionary-attack protection',
    octets('0001 000b 00030072 0000 0006 0080 0043 0010 0800 00000000 0000'),
    { rsaParent: true },
  ],
] as const) {
  test.serial(`signs with a key below ${what}`, async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const parent = await primary(tpm, template)
    const created = await tpm.create({ parent, public: subjectKeyTemplate() })
    await tpm.flush(parent)
    const file = { kind: 'loadable', emptyAuth: true, parent: Hierarchy.owner, ...extra } as const
    const key = await openTpmKey(
      tpm,
      encodeTss2Key({ ...file, public: created.public, private: created.private }),
    )
    t.true(isSignature(key, await key.sign(message)))
    await key.close()
    t.deepEqual(await census(tpm), empty)
  })
}

test.serial('signs with a key below a persistent parent', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const root = await primary(tpm, templates.storageParent)
  const parent = await tpm.persist({ object: root, persistentHandle: 0x8100_0001 })
  await tpm.flush(root)
  const created = await tpm.create({ parent, public: subjectKeyTemplate() })
  const file = { kind: 'loadable', emptyAuth: true, parent: 0x8100_0001 } as const
  const key = await openTpmKey(
    tpm,
    encodeTss2Key({ ...file, public: created.public, private: created.private }),
  )
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  await tpm.evict({ object: parent })
  t.deepEqual(await census(tpm), empty)
})

test.serial('asks for the value of the owner hierarchy', async t => {
  const own = await startTestBench()
  const ownerAuth = Buffer.from('owner value')
  await run('tpm2_changeauth', ['-T', own.tcti, '-c', 'owner', ownerAuth.toString()])
  await using tpm = await Tpm.open(own.tcti)
  await refuses(t, createTpmKey(tpm), 'owner-authorization')
  const pem = await createTpmKey(tpm, { ownerAuth })
  await refuses(t, (await openTpmKey(tpm, pem)).sign(message), 'owner-authorization')
  const key = await openTpmKey(tpm, pem, { ownerAuth })
  t.true(isSignature(key, await key.sign(message)))
  await key.close()
  t.deepEqual(await census(tpm), empty)
  await tpm.close()
  await own.stop()
})
