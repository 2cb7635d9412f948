import test from 'ava'
import {
  contend,
  createFolder,
  entry,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  policy,
  tally,
} from './fixtures.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

const activation = { sequence: 1, version: 1, at: now, by: 'operator/1', jws: 'e30.e30.c2ln' }

test('policies and activations come back exactly, also after the database was closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  const second = { ...policy, version: 2, document: '{"rules":["é"]}' }
  t.is(await store.policies.findActive(), undefined)
  await store.policies.add(policy, entry('policy.proposed'))
  await store.policies.add(second, entry('policy.proposed'))
  await store.policies.activate({ ...activation, jws: null }, entry('policy.activated'))
  await store.policies.activate({ ...activation, sequence: 2, version: 2 }, entry('x'))
  await store.close()
  const again = await openStore(t, { path })
  t.deepEqual(await again.policies.list(), [policy, second])
  t.deepEqual(await again.policies.find(2), second)
  t.is(await again.policies.find(3), undefined)
  const last = { ...activation, sequence: 2, version: 2 }
  t.deepEqual(await again.policies.listActivations(), [{ ...activation, jws: null }, last])
  t.deepEqual(await again.policies.findActive(), { policy: second, activation: last })
})

test('a former version can be put into force again, and is what counts then', async t => {
  const store = await openStore(t)
  await store.policies.add(policy, entry('a'))
  await store.policies.add({ ...policy, version: 2 }, entry('a'))
  for (const [sequence, version] of [
    [1, 1],
    [2, 2],
    [3, 1],
  ] as const)
    t.is(await store.policies.activate({ ...activation, sequence, version }, entry('b')), 'done')
  t.like(await store.policies.findActive(), { policy: { version: 1 } })
})

test('one of a hundred proposals gets the next version', async t => {
  const store = await openStore(t)
  const answers = await contend(n =>
    store.policies.add({ ...policy, createdBy: `operator/${n}` }, entry('policy.proposed')),
  )
  t.deepEqual(tally(answers), { done: 1, conflict: 99 })
  t.is(await store.policies.add({ ...policy, version: 3 }, entry('x')), 'conflict')
  t.is(await logSize(store), 1)
})

test('one of a hundred activations that replace the same one counts', async t => {
  const store = await openStore(t)
  await store.policies.add(policy, entry('policy.proposed'))
  const answers = await contend(() => store.policies.activate(activation, entry('x')))
  t.deepEqual(tally(answers), { done: 1, conflict: 99 })
  const unknown = { ...activation, sequence: 2, version: 9 }
  t.is(await store.policies.activate(unknown, entry('x')), 'unknown')
  t.is(await logSize(store), 2)
})
