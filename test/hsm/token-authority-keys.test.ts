import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import test from 'ava'
import { createFileAuthorityKeys } from '../../src/hsm/authority-keys.ts'
import { withTokenKey } from '../../src/hsm/token-authority-keys.ts'
import type { WatchedSigner } from '../../src/ports/signer.ts'
import { testAuthorityIssuance } from '../support/test-issuance.ts'
import { MemoryKeyFiles } from '../support/memory-key-files.ts'

const uri = 'pkcs11:token=ca;object=issuing?module-path=/lib/x.so&pin-source=/etc/pin'
const serials = [randomBytes(16), randomBytes(16)] as const

/** An authority on the disk, and a signer that claims its key or another one. */
async function begin(isOwn: boolean) {
  const files = new MemoryKeyFiles()
  const options = {
    issuance: testAuthorityIssuance,
    trustDomain: 'a.example',
    rootLifetimeSeconds: 3600,
    issuingLifetimeSeconds: 60,
  }
  const disk = createFileAuthorityKeys({ ...options, files })
  const made = await disk.create({ root: undefined, now: Date.now(), serials })
  const own = new X509Certificate(made.chain[0] ?? new Uint8Array()).publicKey
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const signer: WatchedSigner = {
    role: 'issuing',
    place: 'pkcs11',
    algorithm: 'ES256',
    publicKey: (isOwn ? own : other).export({ format: 'der', type: 'spki' }),
    sign: () => new Uint8Array([42]),
    state: () => ({ isUp: true, since: 0, waiting: 0 }),
    close: async () => await Promise.resolve(),
  }
  return { files, made, keys: withTokenKey(disk, uri, signer) }
}

test('a key in hardware is known by itself, whatever the words of its URI are by now', async t => {
  const { keys, made } = await begin(true)
  const changed = { chain: made.chain, keyReference: uri.replace('/etc/pin', '/run/pin') }
  t.deepEqual(await keys.open(changed).sign(new Uint8Array(1)), new Uint8Array([42]))
})

test('an authority with another key is opened from the disk', async t => {
  const { keys, made } = await begin(false)
  t.is((await keys.open(made).sign(new Uint8Array(1))).length, 64)
})

test('no key on the disk follows one in hardware', async t => {
  const { keys, files } = await begin(true)
  const before = files.list().length
  const request = { root: undefined, now: Date.now(), serials }
  await t.throwsAsync(keys.create(request), { code: 'authority-key-place' })
  t.is(files.list().length, before)
})

test('keys that no record names are put aside, the others stay', async t => {
  const { keys, files, made } = await begin(true)
  t.deepEqual(keys.listOrphans([made.keyReference]), [])
  const orphans = keys.listOrphans([])
  t.is(orphans.length, 2)
  keys.setAside(orphans)
  t.deepEqual(files.list(), [])
  t.deepEqual(files.aside, orphans)
})
