import { copyFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import { verifyCheckpoint } from '../../src/core/log/checkpoint.ts'
import { verifierOfPrivateKey } from '../../src/core/log/note-key.ts'
import { parseTilePath } from '../../src/core/log/tile-path.ts'
import { verifyLog } from '../../src/core/log/verify-log.ts'
import { StoreError } from '../../src/ports/store-error.ts'
import type { Store } from '../../src/ports/store.ts'
import { createEmbeddedLogSigner } from '../../src/storage/log-signer.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { until } from '../support/until.ts'
import { createFolder, createLogKey, entry, logKey, logOrigin } from './fixtures.ts'

const verifier = verifierOfPrivateKey(logOrigin, logKey)
const embedded = createEmbeddedLogSigner(logKey)

/** A key elsewhere, which can go away and signs once it is let. */
function createKey(released: Promise<unknown> = Promise.resolve()) {
  const key = {
    isUp: true,
    signatures: 0,
    publicKey: embedded.publicKey,
    sign: async (message: Uint8Array): Promise<Uint8Array> => {
      await released
      if (!key.isUp) throw new Error('away')
      key.signatures += 1
      return await embedded.sign(message)
    },
  }
  return key
}

/** Entries under the checkpoint; -1 where there is none yet. */
async function sizeOf(store: Store): Promise<number> {
  try {
    return verifyCheckpoint(await store.audit.checkpoint(), verifier).size
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'store-log-unsigned') throw error
    return -1
  }
}

/** Everything that the checkpoint signs, verified as an outsider verifies it. */
async function readSigned({ audit }: Store): Promise<number> {
  let count = 0
  await verifyLog({
    verifier,
    read: async path => {
      if (path === 'checkpoint') return Buffer.from(await audit.checkpoint())
      const { level, index, width } = parseTilePath(path)
      if (level === 'entries') return await audit.entryBundle(index, width)
      return await audit.tile(level, index, width)
    },
    onEntry: () => (count += 1),
  })
  return count
}

function pathOf(t: ExecutionContext): string {
  return `${createFolder(t)}/assay.db`
}

async function append(store: Store, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      async (_, index) => await store.audit.append(entry(`e.${index}`)),
    ),
  )
}

test('while the key is away entries go on, the checkpoint stays, and then follows', async t => {
  const key = createKey()
  const store = await openSqliteStore({ path: pathOf(t), logOrigin, logKey: key })
  t.teardown(async () => await store.close())
  await append(store, 3)
  await until(async () => (await sizeOf(store)) === 3)
  key.isUp = false
  await append(store, 300)
  t.is(await sizeOf(store), 3)
  t.is(await readSigned(store), 3)
  key.isUp = true
  await until(async () => (await sizeOf(store)) === 303)
  t.is(await readSigned(store), 303)
})

test('a hundred writers wait for no signature, and one signature is for many', async t => {
  t.timeout(60_000)
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
  const key = createKey(released)
  const store = await openSqliteStore({ path: pathOf(t), logOrigin, logKey: key })
  t.teardown(async () => {
    release(undefined)
    await store.close()
  })
  for (let round = 0; round < 3; round += 1) await append(store, 100)
  t.true((await sizeOf(store)) < 300)
  release(undefined)
  await until(async () => (await sizeOf(store)) === 300)
  t.is(await readSigned(store), 300)
  t.true(key.signatures < 100)
})

test('a log that was closed unsigned is taken up, and signed by the next who can', async t => {
  const path = pathOf(t)
  const away = createKey()
  away.isUp = false
  const first = await openSqliteStore({ path, logOrigin, logKey: away })
  await append(first, 2)
  await t.throwsAsync(first.audit.checkpoint(), { code: 'store-log-unsigned' })
  await first.close()
  const { publicKey } = embedded
  const second = await openSqliteStore({ path, logOrigin, logKey: { publicKey } })
  await append(second, 260)
  await second.close()
  const third = await openSqliteStore({ path, logOrigin, logKey: createKey() })
  await third.close()
  const fourth = await openSqliteStore({ path, logOrigin, logKey: { publicKey } })
  t.is(await readSigned(fourth), 262)
  await fourth.close()
})

test('what lies under the checkpoint and what is written beyond it are both held against their roots', async t => {
  const path = pathOf(t)
  const key = createKey()
  const store = await openSqliteStore({ path, logOrigin, logKey: key })
  await append(store, 3)
  await until(async () => (await sizeOf(store)) === 3)
  key.isUp = false
  await append(store, 3)
  await store.close()
  const changes = [
    "update log_entries set entry = x'00' where position = 1",
    "update log_entries set entry = x'00' where position = 4",
    'delete from log_entries where position = 5',
    'update log_state set size = 5',
    'update log_state set size = 2',
    'update log_state set signed_size = 2',
    'update log_state set root = zeroblob(32)',
    "update log_state set checkpoint = ''",
  ]
  for (const change of changes) {
    const copy = pathOf(t)
    copyFileSync(path, copy)
    const database = new DatabaseSync(copy)
    database.exec(change)
    database.close()
    const code = 'store-log-damaged'
    await t.throwsAsync(openSqliteStore({ path: copy, logOrigin, logKey: key }), { code }, change)
  }
  key.isUp = true
  const sound = await openSqliteStore({ path, logOrigin, logKey: key })
  await until(async () => (await sizeOf(sound)) === 6)
  t.is(await readSigned(sound), 6)
  await sound.close()
})

test('another key does not take the log over, wherever it signs', async t => {
  const path = pathOf(t)
  await (await openSqliteStore({ path, logOrigin, logKey })).close()
  const other = createKey()
  const code = 'store-log-key-mismatch'
  const last = other.publicKey.length - 1
  const publicKey = other.publicKey.map((octet, at) => (at === last ? octet ^ 1 : octet))
  for (const stranger of [{ publicKey }, { ...other, publicKey }, createLogKey()])
    await t.throwsAsync(openSqliteStore({ path, logOrigin, logKey: stranger }), { code })
  const same = await openSqliteStore({ path, logOrigin, logKey: other })
  t.teardown(async () => await same.close())
  await append(same, 1)
  await until(async () => (await sizeOf(same)) === 1)
  t.is(await readSigned(same), 1)
})
