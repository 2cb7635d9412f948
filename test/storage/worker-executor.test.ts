import test from 'ava'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { contend, entry, logKey, logOrigin, logSize, openStore, tally } from './fixtures.ts'

const codeOf = (error: unknown): string => (error as { code: string }).code

test('more callers than may wait are refused at once, and those that wait are served', async t => {
  const store = await openStore(t, { maxWaiting: 10 })
  const answers = await contend(async () => {
    try {
      await store.audit.append(entry('test'))
      return 'done'
    } catch (error) {
      return codeOf(error)
    }
  })
  t.deepEqual(tally(answers), { done: 10, 'store-overloaded': 90 })
  t.is(await logSize(store), 10)
})

test('what was accepted before the store closed is done, everything later is refused', async t => {
  const store = await openSqliteStore({ path: ':memory:', logOrigin, logKey })
  const accepted = contend(async () => await store.audit.append(entry('test')))
  const closed = store.close()
  await t.throwsAsync(store.audit.append(entry('test')), { code: 'store-unavailable' })
  t.is((await accepted).length, 100)
  await closed
  await t.throwsAsync(store.ping(), { code: 'store-unavailable' })
  await t.throwsAsync(store.audit.checkpoint(), { code: 'store-unavailable' })
  await t.notThrowsAsync(store.close())
})

test('a store that can write says so', async t => {
  const store = await openStore(t)
  await t.notThrowsAsync(store.ping())
  t.is(await logSize(store), 0)
})
