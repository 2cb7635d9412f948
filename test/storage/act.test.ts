import test from 'ava'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  agentClient,
  certificate,
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

const hostClient = { kind: 'host', id: 'host-1', jkt: 'host-key-1' } as const
const operatorClient = { kind: 'operator', id: 'operator-1', jkt: 'operator-key' } as const

type Action = Parameters<Store['clients']['act']>[0]

const replay = (...keys: string[]): Action['replayKeys'] =>
  keys.map(name => ({ key: name, expiresAt: later }))

test('one of a hundred acts with the same replay key is done', async t => {
  const store = await openStore(t)
  await populate(store)
  const before = await logSize(store)
  const action = { client: agentClient, replayKeys: replay('k'), entry: entry('token.issued') }
  t.deepEqual(tally(await contend(() => store.clients.act(action))), { done: 1, replayed: 99 })
  t.is(await logSize(store), before + 1)
})

test('of ten thousand replays none is accepted, nor after the database was opened again', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey, maxWaiting: 20_000 })
  await populate(store)
  const acts = (on: Store): Promise<string>[] =>
    Array.from({ length: 10_000 }, (_, n) =>
      on.clients.act({ client: agentClient, replayKeys: replay(`k${n % 100}`) }),
    )
  t.deepEqual(tally(await Promise.all(acts(store))), { done: 100, replayed: 9_900 })
  t.deepEqual(tally(await Promise.all(acts(store))), { replayed: 10_000 })
  await store.close()
  const again = await openStore(t, { path, maxWaiting: 20_000 })
  t.deepEqual(tally(await Promise.all(acts(again))), { replayed: 10_000 })
})

test('a sweep forgets the replay keys that have expired and no others', async t => {
  const store = await openStore(t, { maxWaiting: 10_000 })
  await populate(store)
  const act = (n: number): Promise<string> =>
    store.clients.act({
      client: agentClient,
      replayKeys: [{ key: `k${n}`, expiresAt: now + n }],
    })
  const all = Array.from({ length: 5_000 }, (_, n) => n)
  await Promise.all(all.map(act))
  await store.sweep(now + 4_000)
  t.deepEqual(tally(await Promise.all(all.map(act))), { done: 4_000, replayed: 1_000 })
})

test('an act is all or nothing: a replayed key spends no other and writes no entry', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.clients.act({ client: agentClient, replayKeys: replay('old') })
  const before = await logSize(store)
  const [refused, beside] = await Promise.all([
    store.clients.act({
      client: agentClient,
      replayKeys: replay('new', 'old'),
      entry: entry('token.issued'),
    }),
    store.clients.act({ client: hostClient, replayKeys: replay('other'), entry: entry('beside') }),
  ])
  t.is(refused, 'replayed')
  t.is(beside, 'done')
  t.is(await logSize(store), before + 1)
  t.is(await store.clients.act({ client: agentClient, replayKeys: replay('new') }), 'done')
  t.is(await store.clients.act({ client: hostClient, replayKeys: replay('other') }), 'replayed')
})

test('the same key twice in one act is a replay', async t => {
  const store = await openStore(t)
  await populate(store)
  t.is(await store.clients.act({ client: agentClient, replayKeys: replay('k', 'k') }), 'replayed')
  t.is(await store.clients.act({ client: agentClient, replayKeys: replay('k') }), 'done')
})

test('an act on the strength of other tokens needs each of them, and who holds it', async t => {
  const store = await openStore(t)
  await populate(store)
  const ofAgent = { kind: 'agent', jkt: 'agent-key-1', jti: 'one' } as const
  const ofHost = { kind: 'host', jkt: 'host-key-1', jti: 'two' } as const
  const act = async (...parents: Action['parents'] & object): Promise<string> =>
    await store.clients.act({ client: hostClient, replayKeys: [], parents })
  t.is(await act(ofAgent, ofHost), 'done')
  t.is(await act(ofAgent, { ...ofHost, jkt: 'nothing' }), 'token-revoked')
  t.is(await act(ofAgent, { ...ofHost, kind: 'agent' }), 'token-revoked')
  await store.tokens.revoke('two', later, entry('token.revoked'))
  t.is(await act(ofAgent, ofHost), 'token-revoked')
  t.is(await act(ofAgent), 'done')
  await revoke(store, { kind: 'agent', id: 'agent-1' })
  t.is(await act(ofAgent), 'token-revoked')
  t.is(await act(), 'done')
})

test('no act is done after the revocation of a token that it stands on', async t => {
  const store = await openStore(t)
  await populate(store)
  const parents = [{ kind: 'agent', jkt: 'agent-key-1', jti: 'one' }] as const
  const order: string[] = []
  await contend(async n => {
    if (n === 50) {
      await store.tokens.revoke('one', later, entry('token.revoked'))
      order.push('revocation')
    } else order.push(await store.clients.act({ client: hostClient, replayKeys: [], parents }))
  })
  const at = order.indexOf('revocation')
  t.deepEqual(tally(order.slice(0, at)), { done: 50 })
  t.deepEqual(tally(order.slice(at + 1)), { 'token-revoked': 49 })
})

/** Issues the agent a certificate with the thumbprint `x5t`. */
async function issueCertificate(store: Store): Promise<void> {
  await store.certificates.intend(certificate, entry('certificate.intended'))
  await store.certificates.issue(certificate.serial, { x5t: 'x5t' }, entry('certificate.issued'))
}

const fallen = { kind: 'certificate', serial: certificate.serial } as const

test('an act by a certificate, or on a token bound to one, needs that it stands', async t => {
  const store = await openStore(t)
  await populate(store)
  const byCertificate = async (x5t?: string): Promise<string> =>
    await store.clients.act({ client: agentClient, replayKeys: [], ...(x5t && { x5t }) })
  const onToken = async (x5t?: string): Promise<string> => {
    const parents = [
      { kind: 'agent', jkt: 'agent-key-1', jti: 'one', ...(x5t && { x5t }) },
    ] as const
    return await store.clients.act({ client: hostClient, replayKeys: [], parents })
  }
  t.is(await byCertificate('x5t'), 'certificate-revoked')
  t.is(await onToken('x5t'), 'token-revoked')
  await issueCertificate(store)
  t.deepEqual([await byCertificate('x5t'), await onToken('x5t')], ['done', 'done'])
  t.deepEqual(
    [await byCertificate('other'), await onToken('other')],
    ['certificate-revoked', 'token-revoked'],
  )
  await revoke(store, fallen)
  t.deepEqual(
    [await byCertificate('x5t'), await onToken('x5t')],
    ['certificate-revoked', 'token-revoked'],
  )
  t.deepEqual([await byCertificate(), await onToken()], ['done', 'done'])
})

test('no act is done after the revocation of the certificate that it is done with', async t => {
  const store = await openStore(t)
  await populate(store)
  await issueCertificate(store)
  const order: string[] = []
  await contend(async n => {
    if (n === 50) {
      await revoke(store, fallen)
      order.push('revocation')
      return
    }
    const bound = { client: agentClient, x5t: 'x5t' } as const
    const parents = [{ kind: 'agent', jkt: 'agent-key-1', jti: 'one', x5t: 'x5t' }] as const
    const based = n % 2 === 0 ? bound : ({ client: hostClient, parents } as const)
    order.push(await store.clients.act({ ...based, replayKeys: [] }))
  })
  const at = order.indexOf('revocation')
  t.deepEqual(tally(order.slice(0, at)), { done: 50 })
  t.deepEqual(tally(order.slice(at + 1)), { 'certificate-revoked': 24, 'token-revoked': 25 })
})

test('an act needs the attestation to last as long as it says', async t => {
  const store = await openStore(t)
  await populate(store)
  for (const client of [agentClient, hostClient]) {
    const act = async (attestedUntil: number): Promise<string> =>
      await store.clients.act({ client, replayKeys: replay(`k${client.kind}`), attestedUntil })
    t.is(await act(later + 1), 'attestation-expired')
    t.is(await act(later), 'done')
  }
})

test('an operator attests nothing, so an act that asks for it is refused', async t => {
  const store = await openStore(t)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  t.is(
    await store.clients.act({ client: operatorClient, replayKeys: [], attestedUntil: now }),
    'attestation-expired',
  )
  t.is(await store.clients.act({ client: operatorClient, replayKeys: [] }), 'done')
})

test('a key acts for nobody but its own client', async t => {
  const store = await openStore(t)
  await populate(store)
  for (const client of [
    { ...agentClient, id: 'agent-2' },
    { ...agentClient, jkt: 'host-key-1' },
    { ...agentClient, kind: 'host' as const },
    { ...hostClient, kind: 'operator' as const },
    { ...agentClient, jkt: 'nothing' },
  ])
    t.is(await store.clients.act({ client, replayKeys: [] }), 'revoked', JSON.stringify(client))
})

test('an operator, an agent or a host that was revoked does not act', async t => {
  const store = await openStore(t)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await populate(store)
  t.like(await revoke(store, { kind: 'operator', id: 'operator-1' }), { operators: 1 })
  t.is(await revoke(store, { kind: 'operator', id: 'nobody' }), 'unknown')
  t.is(await store.clients.act({ client: operatorClient, replayKeys: [] }), 'revoked')
  await revoke(store, { kind: 'agent', id: 'agent-1' })
  t.is(await store.clients.act({ client: agentClient, replayKeys: [] }), 'revoked')
  t.is(await store.clients.act({ client: hostClient, replayKeys: [] }), 'done')
  await revoke(store, { kind: 'host', id: 'host-1' })
  t.is(await store.clients.act({ client: hostClient, replayKeys: [] }), 'revoked')
})

test('no act is done after the revocation that it races with', async t => {
  const store = await openStore(t)
  await populate(store)
  const order: string[] = []
  const note = async (answer: Promise<unknown>): Promise<void> => {
    const word = await answer
    order.push(typeof word === 'string' ? word : 'revocation')
  }
  await contend(async n => {
    if (n === 50) await note(revoke(store, { kind: 'host', id: 'host-1' }))
    else await note(store.clients.act({ client: agentClient, replayKeys: replay(`k${n}`) }))
  })
  t.deepEqual(tally(order.slice(0, 50)), { done: 50 })
  t.is(order[50], 'revocation')
  t.deepEqual(tally(order.slice(51)), { revoked: 49 })
})
