import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createFileAuthorityKeys } from '../../src/hsm/authority-keys.ts'
import { AuthoritySigners } from '../../src/hsm/authority-signers.ts'
import type { WatchedSigner } from '../../src/ports/signer.ts'
import { testAuthorityIssuance } from '../support/test-issuance.ts'
import { MemoryKeyFiles } from '../support/memory-key-files.ts'

test('a key that could not be opened is seen as one that is down, once, until it is given up', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-signers-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const pin = join(folder, 'pin')
  const { chain } = await createFileAuthorityKeys({
    files: new MemoryKeyFiles(),
    issuance: testAuthorityIssuance,
    trustDomain: 'a.example',
    rootLifetimeSeconds: 3600,
    issuingLifetimeSeconds: 60,
  }).create({
    root: undefined,
    place: 'issuing',
    now: Date.now(),
    serials: [randomBytes(16), randomBytes(16)],
    record: async () => await Promise.resolve(),
  })
  const uri = `pkcs11:token=ca;object=a?module-path=${folder}/none.so&pin-source=${pin}`
  const list: WatchedSigner[] = []
  const changes: WatchedSigner[] = []
  const signers = new AuthoritySigners({
    deadlineMs: 500,
    sessions: 1,
    onChange: signer => changes.push(signer),
    uriOf: () => uri,
    roleOf: () => 'issuing',
    onMistake: () => undefined,
    list,
  })
  const authority = { chain, keyReference: uri }
  for (let round = 0; round < 2; round += 1)
    await t.throwsAsync(signers.watch(authority), { code: 'pkcs11-pin-absent' })
  t.is(list.length, 1)
  t.is(changes.length, 1)
  t.like(list[0]?.state(), { isUp: false, reason: 'pkcs11-pin-absent' })
  t.is(list[0]?.role, 'issuing')
  await t.throwsAsync(async () => await list[0]?.sign(new Uint8Array(1)), { code: 'signer-down' })

  // The file of the PIN is read again, so that another mistake shows; that one stands.
  writeFileSync(pin, '1234\n', { mode: 0o600 })
  await t.throwsAsync(signers.watch(authority), { code: 'pkcs11-module' })

  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  list.push({
    ...(list[0] as WatchedSigner),
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  })
  await Promise.all([signers.release(authority), signers.release(authority)])
  t.is(list.length, 1)
})
