import test from 'ava'
import {
  admit,
  agent,
  agentClass,
  anchor,
  authority,
  certificate,
  challenge,
  contend,
  createFolder,
  enrollment,
  entry,
  host,
  key,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  operator,
  populate,
  tally,
} from './fixtures.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import type { Store } from '../../src/ports/store.ts'

/** The same facts with plain `Uint8Array`s, as a store answers. */
function plain<T>(record: T): T {
  if (record instanceof Uint8Array) return new Uint8Array(record) as T
  if (Array.isArray(record)) return record.map(plain) as T
  if (typeof record !== 'object' || record === null) return record
  return Object.fromEntries(Object.entries(record).map(([k, v]) => [k, plain(v)])) as T
}

test('every record comes back exactly, also after the database was closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  await store.anchors.add(anchor, entry('anchor.added'))
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  await populate(store)
  await store.certificates.intend(certificate, entry('certificate.intended'))
  await store.certificates.issue('0a1b', { x5t: 'x5t' }, entry('certificate.issued'))
  await store.close()

  const again = await openStore(t, { path })
  const boundAgent = { ...agent, status: 'active', jkt: 'agent-key-1' } as const
  t.deepEqual(await again.anchors.list(), [plain(anchor)])
  t.deepEqual(await again.operators.list(), [operator])
  t.deepEqual(await again.enrollments.take('enrollment-1', now), plain(enrollment))
  t.deepEqual(await again.hosts.find('host-1'), plain(host))
  t.deepEqual(await again.hosts.findByEndorsement('endorsement-1'), plain(host))
  t.deepEqual(await again.hosts.list(), [plain(host)])
  t.deepEqual(await again.classes.find('reporter'), agentClass)
  t.deepEqual(await again.classes.list(), [agentClass])
  t.deepEqual(await again.agents.find('agent-1'), boundAgent)
  t.deepEqual(await again.agents.list(), [boundAgent])
  t.deepEqual(
    await again.challenges.take(
      { id: 'challenge-1', subject: 'agent-1', purpose: 'agent-key' },
      now,
    ),
    plain(challenge),
  )
  t.deepEqual(await again.certificates.find('x5t'), {
    ...certificate,
    status: 'issued',
    x5t: 'x5t',
  })
  t.deepEqual(await again.authorities.read(), {
    authorities: [{ ...plain(authority), bundleSequence: 1 }],
    bundleSequence: 1,
  })
  t.is(await logSize(again), 10)
})

test('a client is found by its key, with all that stands behind it', async t => {
  const store = await openStore(t)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await populate(store)
  t.deepEqual(await store.clients.findByKey('operator-key'), {
    kind: 'operator',
    key: key('operator-key'),
    operator,
  })
  t.deepEqual(await store.clients.findByKey('host-key-1'), {
    kind: 'host',
    key: key('host-key-1'),
    host: plain(host),
  })
  t.deepEqual(await store.clients.findByKey('agent-key-1'), {
    kind: 'agent',
    key: key('agent-key-1'),
    agent: { ...agent, status: 'active', jkt: 'agent-key-1' },
    host: plain(host),
    agentClass,
  })
  t.is(await store.clients.findByKey('nobody'), undefined)
})

test('what is not there is undefined', async t => {
  const store = await openStore(t)
  t.is(await store.hosts.find('x'), undefined)
  t.is(await store.hosts.findByEndorsement('x'), undefined)
  t.is(await store.classes.find('x'), undefined)
  t.is(await store.agents.find('x'), undefined)
  t.is(await store.certificates.find('x'), undefined)
  t.deepEqual(await store.anchors.list(), [])
})

const addAnchor = (store: Store): Promise<string> => store.anchors.add(anchor, entry('a'))
const createClass = (store: Store): Promise<string> => store.classes.create(agentClass, entry('a'))

test('one of a hundred callers adds an anchor or a class, and one entry is written', async t => {
  for (const add of [addAnchor, createClass]) {
    const store = await openStore(t)
    t.deepEqual(tally(await contend(() => add(store))), { done: 1, exists: 99 })
    t.is(await logSize(store), 1)
  }
})

test('a second record with the same id is refused and leaves no entry', async t => {
  const store = await openStore(t)
  const code = 'store-conflict'
  await store.enrollments.create(enrollment, entry('a'))
  await t.throwsAsync(store.enrollments.create(enrollment, entry('b')), { code })
  await store.operators.add(operator, key('operator-key'), entry('a'))
  const other = { ...operator, jkt: 'other' }
  await t.throwsAsync(store.operators.add(other, key('other'), entry('b')), { code })
  t.is(await store.clients.findByKey('other'), undefined)
  t.is(await logSize(store), 2)
})

test('an agent of a class that does not exist is refused', async t => {
  const store = await openStore(t)
  await admit(store)
  await t.throwsAsync(store.agents.create(agent, challenge, entry('b')), { code: 'store-conflict' })
  t.is(await store.agents.find('agent-1'), undefined)
  t.is(await logSize(store), 1)
})

test('a value that its column does not admit is refused, and the neighbours in the batch are not', async t => {
  const store = await openStore(t)
  const wrong = { ...host, id: 'host-2', endorsementId: 'e2', jkt: 'k2', enrolledAt: 1.5 }
  const results = await Promise.allSettled([
    store.audit.append(entry('before')),
    admit(store, wrong, 'wrong'),
    admit(store, host, 'right'),
  ])
  t.deepEqual(
    results.map(result => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.like(results[1], { reason: { code: 'store-invalid-record' } })
  t.deepEqual(
    (await store.hosts.list()).map(found => found.id),
    ['host-1'],
  )
  t.is(await logSize(store), 2)
})
