import test from 'ava'
import type { RevocationListRecord } from '../../src/ports/records.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  createFolder,
  entry,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  slice,
  tally,
} from './fixtures.ts'

/** The list of one issuer with this number. */
function numbered(
  number: bigint,
  changes: Partial<RevocationListRecord> = {},
): RevocationListRecord {
  return {
    id: number.toString(16).padStart(64, '0'),
    kind: 'crl',
    slot: 'crl one',
    issuer: 'One',
    issuerFingerprint: 'ab'.repeat(32),
    scope: 'all',
    number,
    thisUpdate: now,
    nextUpdate: now + 1_000,
    revoked: 3,
    bytes: slice(0x30, Number(number % 256n)),
    source: 'given by hand',
    addedAt: now,
    addedBy: 'operator/1',
    ...changes,
  }
}

test('a list comes back exactly, also after the database was closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  const record = numbered(2n ** 159n + 1n, { nextUpdate: null })
  t.is(await store.revocationLists.put(record, entry('r')), 'done')
  await store.close()
  const again = await openStore(t, { path })
  const { bytes, ...summary } = record
  t.deepEqual(await again.revocationLists.list(), [summary])
  t.deepEqual(await again.revocationLists.current([]), [
    { id: record.id, kind: 'crl', bytes: new Uint8Array(bytes) },
  ])
  t.deepEqual(await again.revocationLists.current([record.id]), [
    { id: record.id, kind: 'crl', bytes: null },
  ])
})

test('of one slot the highest number is kept, and with the same number the later one', async t => {
  const { revocationLists, ...store } = await openStore(t)
  const put = async (list: RevocationListRecord): Promise<string> =>
    await revocationLists.put(list, entry('r'))
  t.is(await put(numbered(9n)), 'done')
  t.is(await put(numbered(9n)), 'known')
  // As texts, 10 would stand before 9.
  t.is(await put(numbered(10n)), 'done')
  t.is(await put(numbered(9n)), 'older')
  t.is(await put(numbered(10n, { id: 'ee'.repeat(32) })), 'older')
  t.is(await put(numbered(10n, { id: 'ff'.repeat(32), thisUpdate: now + 1 })), 'done')
  t.is(await put(numbered(10n, { thisUpdate: now - 1 })), 'older')
  t.is(await put(numbered(1n, { slot: 'crl two' })), 'done')
  t.deepEqual(
    (await revocationLists.list()).map(({ slot, number }) => [slot, number]),
    [
      ['crl one', 10n],
      ['crl two', 1n],
    ],
  )
  // What changed nothing wrote nothing.
  t.is(await logSize({ revocationLists, ...store }), 4)
})

test('of a hundred lists at once the newest is kept, whatever the order', async t => {
  const store = await openStore(t)
  const numbers = Array.from({ length: 100 }, (_, at) => BigInt((at * 37) % 100))
  const words = await Promise.all(
    numbers.map(number => store.revocationLists.put(numbered(number), entry('r'))),
  )
  const [kept, ...others] = await store.revocationLists.list()
  t.is(kept?.number, 99n)
  t.deepEqual(others, [])
  const counts = tally(words)
  t.is(await logSize(store), counts['done'] ?? 0)
  t.is((counts['done'] ?? 0) + (counts['older'] ?? 0), 100)
})
