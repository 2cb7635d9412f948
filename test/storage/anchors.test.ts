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
