import test from 'ava'
import {
  admit,
  attestation,
  contend,
  createFolder,
  enrollment,
  entry,
  host,
  kept,
  key,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  revoke as revokeHost,
  tally,
} from './fixtures.ts'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

const ids = async (store: Store, hostId: string | null): Promise<string[]> =>
  (await store.attestations.list(hostId, 100)).map(found => found.id)

async function refuse(store: Store, id: string, expiresAt = now + 1_000): Promise<string> {
  const { enrollments } = store
  const refused = kept({ id, hostId: null, status: 'contraindicated', expiresAt })
  return await enrollments.refuse('enrollment-1', entry('enrollment.refused'), refused)
}

test('an attestation comes back whole, also after the database was closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  await store.hosts.admit(host, key('host-key-1'), kept(), entry('host.enrolled'))
  await store.close()
  const again = await openStore(t, { path })
  const { evidence, ...text } = attestation
  t.deepEqual(await again.attestations.find('attestation-1'), {
    ...text,
    evidence: new Uint8Array(evidence),
  })
  const { context: _context, verdict: _verdict, ear: _ear, ...summary } = text
  t.deepEqual(await again.attestations.list('host-1', 10), [summary])
  t.is(await again.attestations.find('attestation-2'), undefined)
})

test('an admission that is refused keeps no attestation', async t => {
  const store = await openStore(t)
  await admit(store)
  t.is(await admit(store, { ...host, stateVersion: 5, jkt: 'k' }), 'state-changed')
  t.is((await ids(store, null)).length, 1)
  t.is(await admit(store, { ...host, stateVersion: 2, jkt: 'k' }), 'done')
  t.is((await ids(store, null)).length, 2)
})

test('an attestation that cannot be kept undoes the admission', async t => {
  const store = await openStore(t)
  await admit(store)
  const before = await logSize(store)
  const again = { ...host, stateVersion: 2, jkt: 'host-key-2' }
  const twice = kept({ id: 'attestation-host-1-1-host-key-1' })
  await t.throwsAsync(store.hosts.admit(again, key('host-key-2'), twice, entry('x')), {
    code: 'store-conflict',
  })
  t.like(await store.hosts.find('host-1'), { stateVersion: 1, jkt: 'host-key-1' })
  t.is(await logSize(store), before)
})

test('the newest attestations of a host are kept, those of another host are not touched', async t => {
  const store = await openStore(t)
  const other = { ...host, id: 'h2', name: 'rack 5', endorsementId: 'e2', jkt: 'k2' }
  await admit(store, other)
  for (const stateVersion of [1, 2, 3, 4, 5]) await admit(store, { ...host, stateVersion })
  t.deepEqual(await ids(store, 'host-1'), [
    'attestation-host-1-5-host-key-1',
    'attestation-host-1-4-host-key-1',
    'attestation-host-1-3-host-key-1',
  ])
  t.is((await ids(store, 'h2')).length, 1)
  t.is((await store.attestations.list('host-1', 2)).length, 2)
})

test('refused attestations go by number and by age, and never push out those of a host', async t => {
  const store = await openStore(t)
  await admit(store)
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  for (let n = 0; n < 6; n += 1) t.is(await refuse(store, `refused-${n}`, now + n), 'done')
  const host1 = 'attestation-host-1-1-host-key-1'
  const newest = ['refused-5', 'refused-4', 'refused-3', 'refused-2', host1]
  t.deepEqual(await ids(store, null), newest)
  await store.sweep(now + 4)
  t.deepEqual(await ids(store, null), ['refused-5', 'refused-4', host1])
  t.deepEqual(await ids(store, 'host-1'), [host1])
})

test('a challenge that is refused with its evidence is spent', async t => {
  const store = await openStore(t)
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  t.is(await refuse(store, 'refused'), 'done')
  t.is(await store.enrollments.take('enrollment-1', now), 'used')
})

test('a retention that would keep nothing is a bug of the caller', async t => {
  const store = await openStore(t)
  const none = { perHost: 0, refused: 1 }
  await t.throwsAsync(store.hosts.admit(host, key('k'), kept({}, none), entry('x')), {
    instanceOf: TypeError,
  })
})

test('a revocation for evidence keeps it, and counts only for the state that was judged', async t => {
  const store = await openStore(t)
  await admit(store)
  await admit(store, { ...host, stateVersion: 2 })
  const evidence = { ...kept({ id: 'rollback', status: 'contraindicated' }), stateVersion: 1 }
  const revoke = (stateVersion: number): Promise<unknown> =>
    revokeHost(store, { kind: 'host', id: 'host-1' }, { ...evidence, stateVersion })
  t.is(await revoke(1), 'state-changed')
  t.like(await store.hosts.find('host-1'), { status: 'active' })
  t.false((await ids(store, 'host-1')).includes('rollback'))
  t.like(await revoke(2), { hosts: 1, agents: 0, certificates: 0 })
  t.like(await store.hosts.find('host-1'), { status: 'revoked' })
  t.true((await ids(store, 'host-1')).includes('rollback'))
  t.is(await revoke(2), 'already')
})

test('of a hundred admissions and revocations of one state, exactly one comes first', async t => {
  const store = await openStore(t)
  await admit(store)
  const answers = await contend<unknown>(n =>
    n % 2 === 0
      ? admit(store, { ...host, stateVersion: 2, jkt: `key-${n}` })
      : revokeHost(
          store,
          { kind: 'host', id: 'host-1' },
          {
            ...kept({ id: `rollback-${n}` }),
            stateVersion: 1,
          },
        ),
  )
  // The first admission moved the state on, so that nothing was judged by its evidence any more.
  t.deepEqual(tally(answers), { done: 1, 'state-changed': 99 })
  t.like(await store.hosts.find('host-1'), { status: 'active', stateVersion: 2 })
})
