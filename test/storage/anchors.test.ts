import test from 'ava'
import { anchor, contend, entry, logSize, now, openStore, tally } from './fixtures.ts'
import type { AnchorRecord } from '../../src/ports/records.ts'

function proposed(fill: string): AnchorRecord {
  const nobody = { sinceVersion: null, approvedAt: null, approvedBy: null }
  return { ...anchor, ...nobody, fingerprint: fill.repeat(32), status: 'proposed' }
}

const approval = { at: now + 5, by: 'operator/2' }
const retirement = { ...approval, reason: 'the maker lost the key' }

test('what is proposed is kept once and is not in force', async t => {
  const store = await openStore(t)
  const rows = [proposed('a1'), proposed('b2')]
  t.deepEqual(await store.anchors.propose(rows, entry('p')), ['a1'.repeat(32), 'b2'.repeat(32)])
  t.deepEqual(await store.anchors.propose([...rows, proposed('c3')], entry('p')), ['c3'.repeat(32)])
  t.is((await store.anchors.list()).length, 3)
  t.deepEqual(await store.anchors.listActive(), [])
})

test('an approval puts all of its anchors in force with one version, or none of them', async t => {
  const store = await openStore(t)
  await store.anchors.add(anchor, entry('a'))
  await store.anchors.propose([proposed('a1'), proposed('b2')], entry('p'))
  const before = await logSize(store)
  const unknown = ['a1'.repeat(32), 'ff'.repeat(32)]
  t.is(await store.anchors.approve(unknown, approval, entry('ap')), 'unknown')
  t.is(await store.anchors.approve([anchor.fingerprint], approval, entry('ap')), 'already')
  t.is((await store.anchors.listActive()).length, 1)
  t.is(await logSize(store), before)
  const both = ['a1'.repeat(32), 'b2'.repeat(32)]
  t.deepEqual(await store.anchors.approve(both, approval, entry('ap')), { version: 2 })
  const active = await store.anchors.listActive()
  t.deepEqual(
    active.map(row => row.sinceVersion ?? 0).toSorted((left, right) => left - right),
    [1, 2, 2],
  )
  t.is(active[0]?.approvedBy, 'operator/2')
})

test('a retired anchor is out of force, keeps why, and can be approved again', async t => {
  const store = await openStore(t)
  await store.anchors.add(anchor, entry('a'))
  const { fingerprint } = anchor
  t.deepEqual(await store.anchors.retire(fingerprint, retirement, entry('r')), { version: 2 })
  t.deepEqual(await store.anchors.listActive(), [])
  const [row] = await store.anchors.list()
  t.like(row, { status: 'retired', untilVersion: 2, retirementReason: retirement.reason })
  t.is(await store.anchors.retire(fingerprint, retirement, entry('r')), 'already')
  t.is(await store.anchors.retire('00'.repeat(32), retirement, entry('r')), 'unknown')
  t.deepEqual(await store.anchors.approve([fingerprint], approval, entry('ap')), { version: 3 })
  const [again] = await store.anchors.listActive()
  t.like(again, { sinceVersion: 3, untilVersion: null, retiredAt: null })
})

test('one of a hundred callers approves an anchor, and one retires it', async t => {
  const store = await openStore(t)
  await store.anchors.propose([proposed('a1')], entry('p'))
  const fingerprint = 'a1'.repeat(32)
  const approvals = await contend(() => store.anchors.approve([fingerprint], approval, entry('ap')))
  t.deepEqual(tally(approvals.map(row => JSON.stringify(row))), {
    '"already"': 99,
    '{"version":1}': 1,
  })
  const exits = await contend(() => store.anchors.retire(fingerprint, retirement, entry('r')))
  t.deepEqual(tally(exits.map(row => JSON.stringify(row))), { '"already"': 99, '{"version":2}': 1 })
})

test('the set in force is read once for as long as it is the same, and never after it changed', async t => {
  const store = await openStore(t)
  t.deepEqual(await store.anchors.listActive(), [])
  await store.anchors.add(anchor, entry('a'))
  await store.anchors.propose([proposed('a1')], entry('p'))
  const first = await store.anchors.listActive()
  t.is(first.length, 1)
  t.is(await store.anchors.listActive(), first)
  await store.anchors.approve(['a1'.repeat(32)], approval, entry('ap'))
  t.is((await store.anchors.listActive()).length, 2)
  await store.anchors.retire(anchor.fingerprint, retirement, entry('r'))
  const last = await store.anchors.listActive()
  t.deepEqual(
    last.map(({ fingerprint }) => fingerprint),
    ['a1'.repeat(32)],
  )
})

test('whoever asks after an anchor was retired never gets it, among a hundred who ask meanwhile', async t => {
  const store = await openStore(t)
  await store.anchors.add(anchor, entry('a'))
  let isRetired = false
  const late: boolean[] = []
  const ask = async (): Promise<void> => {
    const wasRetired = isRetired
    const active = await store.anchors.listActive()
    if (wasRetired) late.push(active.length === 0)
  }
  const retire = async (): Promise<void> => {
    await store.anchors.retire(anchor.fingerprint, retirement, entry('r'))
    isRetired = true
  }
  await Promise.all([
    ...Array.from({ length: 50 }, ask),
    retire(),
    ...Array.from({ length: 50 }, ask),
  ])
  await Promise.all(Array.from({ length: 100 }, ask))
  t.true(late.length >= 100)
  t.true(late.every(Boolean))
})

test('an approval of many is one act with as many entries as it takes, or none', async t => {
  const store = await openStore(t)
  await store.anchors.propose([proposed('a1')], entry('p'))
  const before = await logSize(store)
  const entries = [entry('one'), entry('two')]
  t.is(await store.anchors.approve(['ff'.repeat(32)], approval, ...entries), 'unknown')
  t.is(await logSize(store), before)
  t.deepEqual(await store.anchors.approve(['a1'.repeat(32)], approval, ...entries), { version: 1 })
  t.is(await logSize(store), before + 2)
})
