import { randomBytes, X509Certificate } from 'node:crypto'
import test from 'ava'
import { createFileAuthorityKeys } from '../../src/hsm/authority-keys.ts'
import { embeddedCrypto } from '../../src/hsm/embedded-key.ts'
import { withTokenKeys } from '../../src/hsm/token-authority-keys.ts'
import type { AuthorityIntent } from '../../src/ports/authority.ts'
import { StoreError } from '../../src/ports/store-error.ts'
import { testAuthorityIssuance } from '../support/test-issuance.ts'
import { MemoryKeyFiles } from '../support/memory-key-files.ts'

const discarded: string[] = []
const serials = [randomBytes(16), randomBytes(16)] as const
const intents: AuthorityIntent[] = []
const recordIntent = async (intent: AuthorityIntent): Promise<void> => {
  intents.push(intent)
  await Promise.resolve()
}
const request = {
  root: undefined,
  place: 'issuing',
  now: Date.now(),
  serials,
  record: recordIntent,
} as const

/** Authorities on the disk, or with issuing keys in a place that is no disk. */
async function begin(isInToken: boolean) {
  const files = new MemoryKeyFiles()
  const disk = createFileAuthorityKeys({
    files,
    issuance: testAuthorityIssuance,
    trustDomain: 'a.example',
    rootLifetimeSeconds: 3600,
    issuingLifetimeSeconds: 60,
    places: isInToken ? { issuing: { make: makeElsewhere } } : {},
  })
  const signers = {
    signerOf: () => ({ algorithm: 'ES256', sign: () => new Uint8Array([42]) }) as const,
    release: async () => await Promise.resolve(),
  }
  const keys = withTokenKeys(disk, signers, ({ keyReference }) => keyReference)
  return { files, keys, made: await keys.create(request) }
}

async function makeElsewhere(name: string) {
  const how = { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = await embeddedCrypto.subtle.generateKey(how, true, ['sign', 'verify'])
  const reference = `pkcs11:token=ca;object=${name};id=%01?module-path=/lib/x.so`
  const discard = async (): Promise<void> => {
    discarded.push(reference)
    await Promise.resolve()
  }
  return { reference, publicKey: pair.publicKey, keep: () => undefined, discard }
}

test('a key in a token is used there, one on the disk is opened from the disk', async t => {
  const token = await begin(true)
  t.deepEqual(await token.keys.open(token.made).sign(new Uint8Array(1)), new Uint8Array([42]))
  const disk = await begin(false)
  t.is((await disk.keys.open(disk.made).sign(new Uint8Array(1))).length, 64)
})

test('no key on the disk follows one in hardware, but that of its root', async t => {
  const { files, made } = await begin(true)
  t.is(files.list().length, 1)
  t.regex(files.list()[0] ?? '', /^authority-[0-9a-f]{32}\.root\.key\.pem$/)
  t.regex(made.keyReference, /^pkcs11:/)
})

test.serial(
  'a key whose certificate is not made is let go of, and what is there stays',
  async t => {
    const { keys, files } = await begin(true)
    const before = discarded.length
    await t.throwsAsync(keys.create({ ...request, serials: [serials[0], new Uint8Array(0)] }))
    t.is(discarded.length, before + 1)
    t.is(files.list().length, 1)
    await keys.create(request)
    t.is(discarded.length, before + 1)
  },
)

test.serial(
  'what the root is to sign is on record before, and where it cannot be nothing is signed',
  async t => {
    for (const isInToken of [true, false]) {
      const { keys, files } = await begin(isInToken)
      const [before, gone] = [files.list().length, discarded.length]
      const code = 'store-unavailable'
      const record = async (): Promise<never> => await Promise.reject(new StoreError(code))
      await t.throwsAsync(keys.create({ ...request, record }), { code })
      t.is(files.list().length, before)
      t.is(discarded.length, gone + (isInToken ? 1 : 0))
      const made = await keys.create(request)
      const intent = intents.at(-1)
      t.is(intent?.keyReference, made.keyReference)
      const { publicKey } = new X509Certificate(made.chain[0] ?? new Uint8Array())
      t.deepEqual(
        Buffer.from(intent?.publicKey ?? []),
        publicKey.export({ format: 'der', type: 'spki' }),
      )
    }
  },
)

test('where no second token is named a standby is made nowhere', async t => {
  const { keys, files } = await begin(true)
  const standby = keys.create({ ...request, place: 'standby' })
  await t.throwsAsync(standby, { code: 'authority-standby-absent' })
  t.is(files.list().length, 1)
})

test('keys that no record names are put aside, the others stay', async t => {
  for (const isInToken of [true, false]) {
    const { keys, files, made } = await begin(isInToken)
    t.deepEqual(keys.listOrphans([made.keyReference]), [])
    const orphans = keys.listOrphans([])
    t.is(orphans.length, isInToken ? 1 : 2)
    keys.setAside(orphans)
    t.deepEqual(files.list(), [])
    t.deepEqual(files.aside, orphans)
  }
})

test('a key on the disk is destroyed where it lies, and twice is no error', async t => {
  const { keys, files, made } = await begin(false)
  await keys.destroy(made)
  await keys.destroy(made)
  t.deepEqual(files.list().length, 1)
})
