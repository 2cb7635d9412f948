import test from 'ava'
import {
  contend,
  createFolder,
  endorsement,
  entry,
  later,
  logKey,
  logOrigin,
  logSize,
  openStore,
  tally,
} from './fixtures.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

const decision = { at: later, by: 'operator/1' }

test('an endorsement waits once, and comes back exactly', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  t.is(await store.endorsements.enqueue(endorsement, 10, entry('endorsement.queued')), 'done')
  t.is(await store.endorsements.enqueue(endorsement, 10, entry('endorsement.queued')), 'exists')
  await store.close()
  const again = await openStore(t, { path })
  t.deepEqual(await again.endorsements.find('endorsement-9'), endorsement)
  t.is(await again.endorsements.find('endorsement-8'), undefined)
  t.is(await logSize(again), 1)
})

test('a decision is recorded and can be taken back', async t => {
  const store = await openStore(t)
  await store.endorsements.enqueue(endorsement, 10, entry('a'))
  const approved = { ...decision, status: 'approved' as const }
  t.is(await store.endorsements.decide('endorsement-9', approved, entry('b')), 'done')
  t.deepEqual(await store.endorsements.find('endorsement-9'), {
    ...endorsement,
    status: 'approved',
    decidedAt: later,
    decidedBy: 'operator/1',
  })
  const refused = { ...decision, status: 'refused' as const }
  t.is(await store.endorsements.decide('endorsement-9', refused, entry('b')), 'done')
  t.like(await store.endorsements.find('endorsement-9'), { status: 'refused' })
  t.is(await store.endorsements.decide('nobody', refused, entry('b')), 'unknown')
  t.is(await store.endorsements.decide('nobody', approved, entry('b')), 'unknown')
  t.is(await logSize(store), 3)
})

test('an EK is listed before it was ever seen', async t => {
  const store = await openStore(t)
  const listed = { ...decision, status: 'listed' as const }
  t.is(await store.endorsements.decide('endorsement-7', listed, entry('b')), 'done')
  t.like(await store.endorsements.find('endorsement-7'), { status: 'listed', hostName: null })
  t.is(
    await store.endorsements.enqueue({ ...endorsement, id: 'endorsement-7' }, 9, entry('a')),
    'exists',
  )
})

test('those that wait stand first in the list', async t => {
  const store = await openStore(t)
  const listed = { ...decision, status: 'listed' as const }
  await store.endorsements.decide('a-listed', listed, entry('b'))
  await store.endorsements.enqueue({ ...endorsement, id: 'z', firstSeen: 2 }, 9, entry('a'))
  await store.endorsements.enqueue({ ...endorsement, id: 'y', firstSeen: 3 }, 9, entry('a'))
  const ids = (await store.endorsements.list()).map(found => found.id)
  t.deepEqual(ids, ['z', 'y', 'a-listed'])
})

test('the queue is bounded, also against a hundred at once', async t => {
  const store = await openStore(t)
  const answers = await contend(n =>
    store.endorsements.enqueue({ ...endorsement, id: `e${n}` }, 3, entry('a')),
  )
  t.deepEqual(tally(answers), { done: 3, full: 97 })
  const approved = { ...decision, status: 'approved' as const }
  await store.endorsements.decide('e0', approved, entry('b'))
  t.is(await store.endorsements.enqueue({ ...endorsement, id: 'f' }, 3, entry('a')), 'done')
})
