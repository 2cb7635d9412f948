import test from 'ava'
import type { GrantDecision, GrantRequestRecord } from '../../src/ports/grant-requests.ts'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  agentClient,
  contend,
  createFolder,
  entry,
  key,
  later,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  operator,
  populate,
  revoke,
  tally,
} from './fixtures.ts'

const request: GrantRequestRecord = {
  id: 'grant-1',
  digest: 'digest-1',
  agentId: 'agent-1',
  jkt: 'agent-key-1',
  className: 'reporter',
  hostId: 'host-1',
  action: 'exchangeToken',
  audience: 'https://ü.example/',
  audiences: ['https://api.example/', 'https://ü.example/'],
  scopes: ['read', 'write'],
  details: '[{"type":"ticket"}]',
  detailsDigest: 'details-1',
  initiator: 'spiffe://example.org/agent/reporter/agent-0',
  actors: ['spiffe://example.org/agent/reporter/agent-1'],
  mayAct: 'spiffe://example.org/agent/reporter/agent-2',
  policies: ['write'],
  maxMinutes: 30,
  requestedAt: now,
  status: 'pending',
  expiresAt: later,
  decidedAt: null,
  decidedBy: null,
  operatorId: null,
  reason: null,
  minutes: null,
  uses: 0,
  usedAt: null,
}

const approval: GrantDecision = {
  status: 'approved',
  at: now + 1,
  by: 'spiffe://example.org/operator/operator-1',
  operatorId: 'operator-1',
  operatorJkt: 'operator-key',
  reason: 'the release',
  expiresAt: now + 600_000,
  minutes: null,
}

async function open(
  store: Store,
  changes: Partial<GrantRequestRecord> = {},
  limit = 4,
): Promise<string> {
  const record = { ...request, ...changes }
  return await store.clients.act({
    client: agentClient,
    replayKeys: [],
    entry: entry('authorization.denied'),
    opening: { record, limit, entry: entry('grant.requested', record.id) },
  })
}

async function use(
  store: Store,
  changes: { isReusable?: boolean; at?: number; until?: number; jkt?: string } = {},
): Promise<string> {
  const { isReusable = false, at = now + 2, until = now + 300_000, jkt = agentClient.jkt } = changes
  return await store.clients.act({
    client: { ...agentClient, jkt },
    replayKeys: [],
    entry: entry('token.issued'),
    approvals: [{ id: 'grant-1', isReusable, at, until }],
  })
}

async function begin(store: Store, changes: Partial<GrantDecision> = {}): Promise<void> {
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await populate(store)
  await open(store)
  await store.grantRequests.decide('grant-1', { ...approval, ...changes }, entry('grant.approved'))
}

test('a request comes back exactly, and is opened with the denial that it comes from', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  await populate(store)
  const before = await logSize(store)
  t.is(await open(store), 'done')
  t.is(await logSize(store), before + 2)
  await store.close()
  const again = await openStore(t, { path })
  t.deepEqual(await again.grantRequests.find('grant-1'), request)
  t.deepEqual(await again.grantRequests.findOpen('digest-1', now), request)
  t.deepEqual(await again.grantRequests.list(10), [request])
  t.is(await again.grantRequests.find('grant-2'), undefined)
  t.is(await again.grantRequests.findOpen('digest-2', now), undefined)
  t.is(await again.grantRequests.findOpen('digest-1', later), undefined)
})

test('of one request one waits, and of one agent no more than may', async t => {
  const store = await openStore(t)
  await populate(store)
  const answers = await contend(async n => await open(store, { id: `grant-${n}` }))
  t.deepEqual(tally(answers), { done: 1, 'request-open': 99 })
  const size = await logSize(store)
  const others = await contend(
    async n => await open(store, { id: `other-${n}`, digest: `other-${n}` }),
  )
  t.deepEqual(tally(others), { done: 3, 'requests-full': 97 })
  t.is(await logSize(store), size + 6)
  const late = { id: 'late', requestedAt: later, expiresAt: later + 1 }
  t.is(await open(store, late), 'done')
  t.is((await store.grantRequests.find('grant-0'))?.status, 'expired')
})

test('an act that is not done opens nothing', async t => {
  const store = await openStore(t)
  await populate(store)
  const opening = { record: request, limit: 4, entry: entry('grant.requested') }
  const stranger = { ...agentClient, jkt: 'nothing' }
  t.is(await store.clients.act({ client: stranger, replayKeys: [], opening }), 'revoked')
  t.deepEqual(await store.grantRequests.list(10), [])
})

test('of a hundred operators who decide at once one counts', async t => {
  const store = await openStore(t)
  await begin(store, { status: 'approved' })
  await open(store, { id: 'grant-2', digest: 'digest-2' })
  const size = await logSize(store)
  const answers = await contend(async n => {
    const status = n % 2 === 0 ? 'approved' : 'denied'
    const decision = { ...approval, status, reason: `reason ${n}` } as const
    return await store.grantRequests.decide('grant-2', decision, entry(`grant.${status}`))
  })
  t.deepEqual(tally(answers), { done: 1, already: 99 })
  t.is(await logSize(store), size + 1)
  t.like(await store.grantRequests.find('grant-2'), { status: 'approved', reason: 'reason 0' })
})

test('what is over, unknown or of somebody revoked is not approved', async t => {
  const store = await openStore(t)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await populate(store)
  await open(store)
  const decide = async (id: string, changes: Partial<GrantDecision> = {}): Promise<string> =>
    await store.grantRequests.decide(id, { ...approval, ...changes }, entry('grant.approved'))
  t.is(await decide('grant-9'), 'unknown')
  t.is(await decide('grant-1', { at: later }), 'expired')
  t.is(await decide('grant-1', { operatorJkt: 'of nobody' }), 'operator-revoked')
  t.is(await decide('grant-1', { operatorId: 'operator-2' }), 'operator-revoked')
  await store.agents.bindKey('agent-1', key('agent-key-2'), entry('agent.attested'))
  t.is(await decide('grant-1'), 'revoked')
  t.is(await decide('grant-1', { status: 'denied' }), 'done')
  t.is(await decide('grant-1'), 'already')
})

test('of a hundred uses of an approval for once one is done', async t => {
  const store = await openStore(t)
  await begin(store)
  const size = await logSize(store)
  t.deepEqual(tally(await contend(async () => await use(store))), { done: 1, 'approval-over': 99 })
  t.is(await logSize(store), size + 1)
  t.like(await store.grantRequests.find('grant-1'), { status: 'used', uses: 1, usedAt: now + 2 })
  t.is(await store.grantRequests.findOpen('digest-1', now + 2), undefined)
})

test('an approval for minutes is used until its end, and not for what lasts longer', async t => {
  const store = await openStore(t)
  await begin(store, { minutes: 10 })
  t.is(await use(store, { isReusable: true }), 'done')
  t.is(await use(store, { isReusable: true }), 'done')
  t.is((await store.grantRequests.find('grant-1'))?.uses, 2)
  t.is(await use(store), 'approval-over')
  t.is(await use(store, { isReusable: true, until: now + 600_001 }), 'approval-over')
  t.is(await use(store, { isReusable: true, until: now + 600_000 }), 'done')
  const late = { isReusable: true, at: now + 600_000, until: now + 600_000 }
  t.is(await use(store, late), 'approval-over')
})

test('an approval for once is never one for more, nor one of another key', async t => {
  const store = await openStore(t)
  await begin(store)
  t.is(await use(store, { isReusable: true }), 'approval-over')
  t.is(await use(store, { jkt: 'host-key-1' }), 'revoked')
  t.is(await use(store), 'done')
})

test('an act that fails for another reason uses nothing up', async t => {
  const store = await openStore(t)
  await begin(store)
  const replayKeys = [{ key: 'k', expiresAt: later }]
  await store.clients.act({ client: agentClient, replayKeys })
  const approvals = [{ id: 'grant-1', isReusable: false, at: now + 2, until: now + 3 }]
  t.is(await store.clients.act({ client: agentClient, replayKeys, approvals }), 'replayed')
  const both = [...approvals, { ...approvals[0]!, id: 'nothing' }]
  t.is(
    await store.clients.act({ client: agentClient, replayKeys: [], approvals: both }),
    'approval-over',
  )
  t.is(await use(store), 'done')
})

test('an approval that was taken back counts for nothing', async t => {
  const store = await openStore(t)
  await begin(store)
  const change = { at: now + 2, by: 'op', reason: 'a mistake' }
  const withdraw = async (id: string): Promise<string> =>
    await store.grantRequests.withdraw(id, change, entry('grant.withdrawn'))
  t.is(await withdraw('grant-9'), 'unknown')
  t.is(await withdraw('grant-1'), 'done')
  t.is(await withdraw('grant-1'), 'already')
  t.is(await use(store), 'approval-over')
})

test('requests fall with agent and host, and approvals with the operator who gave them', async t => {
  for (const target of [
    { kind: 'agent', id: 'agent-1' },
    { kind: 'host', id: 'host-1' },
    { kind: 'operator', id: 'operator-1' },
  ] as const) {
    const store = await openStore(t)
    await begin(store)
    await open(store, { id: 'grant-2', digest: 'digest-2' })
    await revoke(store, target)
    t.is((await store.grantRequests.find('grant-1'))?.status, 'withdrawn', target.kind)
    const waiting = target.kind === 'operator' ? 'pending' : 'withdrawn'
    t.is((await store.grantRequests.find('grant-2'))?.status, waiting)
    t.is(await use(store), target.kind === 'operator' ? 'approval-over' : 'revoked')
  }
})

test('a sweep forgets requests a day after their time', async t => {
  const store = await openStore(t)
  await populate(store)
  await open(store)
  await store.sweep(later + 86_400_000)
  t.is((await store.grantRequests.list(10)).length, 1)
  await store.sweep(later + 86_400_001)
  t.deepEqual(await store.grantRequests.list(10), [])
})
