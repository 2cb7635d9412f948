import test from 'ava'
import { parseAuditEntry } from '../../src/core/log/audit-entry.ts'
import { verifierOfPrivateKey } from '../../src/core/log/note-key.ts'
import { parseTilePath } from '../../src/core/log/tile-path.ts'
import { verifyLog, type ReadLog } from '../../src/core/log/verify-log.ts'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { createFolder, entry, logKey, logOrigin, logSize, openStore } from './fixtures.ts'

const verifier = verifierOfPrivateKey(logOrigin, logKey)

/** The log of a store as its HTTP endpoint serves it. */
function readerOf(store: Store): ReadLog {
  return async path => {
    if (path === 'checkpoint') return Buffer.from(await store.audit.checkpoint())
    const { level, index, width } = parseTilePath(path)
    return level === 'entries'
      ? await store.audit.entryBundle(index, width)
      : await store.audit.tile(level, index, width)
  }
}

async function appendMany(store: Store, count: number, from = 0): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, n) => store.audit.append(entry('test', `${from + n}`))),
  )
}

test('an empty log has a signed checkpoint', async t => {
  const store = await openStore(t)
  t.is((await verifyLog({ read: readerOf(store), verifier })).size, 0)
})

test('the log verifies at every step, extends every earlier checkpoint, and keeps the order of calls', async t => {
  const store = await openStore(t)
  let trusted = await store.audit.checkpoint()
  for (const [from, count] of [
    [0, 1],
    [1, 254],
    [255, 1],
    [256, 1],
    [257, 900],
  ] as const) {
    await appendMany(store, count, from)
    const subjects: string[] = []
    const onEntry = (bytes: Uint8Array): void => {
      subjects.push(parseAuditEntry(bytes).subject)
    }
    const verified = await verifyLog({ read: readerOf(store), verifier, trusted, onEntry })
    t.is(verified.size, from + count)
    t.deepEqual(
      subjects,
      Array.from({ length: from + count }, (_, n) => `${n}`),
    )
    trusted = await store.audit.checkpoint()
  }
})

test('a log of three levels verifies, also after it was opened again', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey, maxWaiting: 100_000 })
  await appendMany(store, 65_536 + 300)
  const trusted = await store.audit.checkpoint()
  await store.close()
  const again = await openStore(t, { path })
  t.is(await again.audit.checkpoint(), trusted)
  await again.audit.append(entry('test', '65836'))
  const verified = await verifyLog({ read: readerOf(again), verifier, trusted })
  t.is(verified.size, 65_837)
})

test('every width of a tile and of a bundle is served up to what the tree has, and nothing beyond', async t => {
  const store = await openStore(t)
  await appendMany(store, 300)
  const whole = await store.audit.tile(0, 1, 44)
  for (const width of [1, 43, 44])
    t.deepEqual(await store.audit.tile(0, 1, width), whole?.slice(0, width * 32))
  t.is((await store.audit.tile(0, 0, 100))?.length, 3_200)
  t.is((await store.audit.tile(1, 0, 1))?.length, 32)
  for (const [level, index, width] of [
    [0, 1, 45],
    [0, 1, 0],
    [0, 0, 257],
    [0, 2, 1],
    [0, -1, 1],
    [0, 0.5, 1],
    [1, 0, 2],
    [2, 0, 1],
    [-1, 0, 1],
  ] as const) {
    t.is(await store.audit.tile(level, index, width), undefined, `${level}/${index}/${width}`)
    if (level !== 0) continue
    t.is(await store.audit.entryBundle(index, width), undefined, `${index}/${width}`)
  }
})

test('an entry that JSON cannot carry or a bundle cannot hold is refused with the act that it describes', async t => {
  const store = await openStore(t)
  const code = 'store-entry-refused'
  const large = { ...entry('test'), detail: { x: 'x'.repeat(70_000) } }
  const error = await t.throwsAsync(store.audit.append(large), { code })
  t.like(error, { cause: { code: 'entry-too-large' } })
  const wrong = { ...entry('test'), detail: { x: undefined } }
  await t.throwsAsync(store.audit.append(wrong), { code })
  t.is(await logSize(store), 0)
})
