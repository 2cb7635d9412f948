import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import type { Store } from '../../src/ports/store.ts'
import {
  agentClient,
  contend,
  createFolder,
  entry,
  key,
  later,
  now,
  openStore,
  operator,
  populate,
  revoke,
  tally,
} from './fixtures.ts'

const size = 8_192
const listEnd = later + 1_000
const hostClient = { kind: 'host', id: 'host-1', jkt: 'host-key-1' } as const
const operatorClient = { kind: 'operator', id: 'operator-1', jkt: 'operator-key' } as const

/** A list in a store with a host, its agent and an operator. */
async function begin(t: ExecutionContext, path = ':memory:') {
  const store = await openStore(t, { path })
  await populate(store)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  const times = { openedAt: now, closesAt: later, expiresAt: listEnd }
  return { store, list: await store.statusLists.open({ name: 'one', size, ...times }) }
}

type Client = typeof agentClient | typeof hostClient | typeof operatorClient

/** Puts a token into the list: its index is its name. */
async function issue(
  store: Store,
  list: number,
  index: number,
  client: Client,
  parents: readonly { readonly client: Client; readonly index: number }[] = [],
): Promise<string> {
  const issued = { list, index, jti: `jti-${index}`, binding: client.jkt, expiresAt: later }
  const links = parents.map(parent => {
    return { kind: parent.client.kind, jkt: parent.client.jkt, jti: `jti-${parent.index}` }
  })
  return await store.clients.act({ client, replayKeys: [], issued, parents: links })
}

async function takeBack(store: Store, index: number): Promise<void> {
  const place = { list: 'one', index }
  const answer = await store.tokens.revoke(`jti-${index}`, later, entry('token.revoked'), place)
  if (answer !== 'done') throw new Error(answer)
}

async function revokedOf(store: Store): Promise<readonly number[]> {
  return (await store.statusLists.read('one', now))?.revoked.toSorted((a, b) => a - b) ?? []
}

test('with a token fall those that descend from it, however far, and no others', async t => {
  const { store, list } = await begin(t)
  const first = { client: agentClient, index: 1 }
  const second = { client: hostClient, index: 2 }
  await issue(store, list, 1, agentClient)
  await issue(store, list, 2, hostClient, [first])
  await issue(store, list, 3, operatorClient, [second, first])
  await issue(store, list, 4, agentClient)
  await issue(store, list, 5, operatorClient, [{ client: agentClient, index: 4 }])
  const version = await store.statusLists.version('one', now)
  await takeBack(store, 2)
  t.deepEqual(await revokedOf(store), [2, 3])
  t.not(await store.statusLists.version('one', now), version)
  await takeBack(store, 1)
  t.deepEqual(await revokedOf(store), [1, 2, 3])
  const { events } = await store.revocations.readEvents(0, 10)
  t.deepEqual(
    events.map(({ event }) => event.tokens.map(({ jti }) => jti)),
    [['jti-2', 'jti-3'], ['jti-1']],
  )
})

test('with a host fall tokens of others that descend from its agent’s', async t => {
  const { store, list } = await begin(t)
  await issue(store, list, 1, agentClient)
  await issue(store, list, 2, operatorClient, [{ client: agentClient, index: 1 }])
  await issue(store, list, 3, operatorClient)
  t.like(await revoke(store, { kind: 'host', id: 'host-1' }), { tokens: 2, operators: 0 })
  t.deepEqual(await revokedOf(store), [1, 2])
})

test('a token that descends from one that fell is not issued, beside a twin that is', async t => {
  const { store, list } = await begin(t)
  const parents = [{ client: agentClient, index: 1 }]
  await issue(store, list, 1, agentClient)
  t.is(await issue(store, list, 2, hostClient, parents), 'done')
  await takeBack(store, 1)
  t.is(await issue(store, list, 3, hostClient, parents), 'token-revoked')
  t.is(await issue(store, list, 3, hostClient), 'done')
  t.deepEqual(await revokedOf(store), [1, 2])
})

test('of a hundred exchanges beside the revocation of their token each is refused or falls', async t => {
  const { store, list } = await begin(t)
  await issue(store, list, 1_000, agentClient)
  const parents = [{ client: agentClient, index: 1_000 }]
  const answers = await contend(async n => {
    if (n !== 50) return await issue(store, list, n, hostClient, parents)
    await takeBack(store, 1_000)
    return 'revocation'
  })
  t.deepEqual(tally(answers), { done: 50, 'token-revoked': 49, revocation: 1 })
  const done = answers.flatMap((answer, n) => (answer === 'done' ? [n] : []))
  t.deepEqual(await revokedOf(store), [...done, 1_000])
})

test('rows of descent go with their list, in parts, and the list itself goes last', async t => {
  const path = `${createFolder(t)}/assay.db`
  const { store, list } = await begin(t, path)
  const chain = Array.from({ length: 4 }, (_, index) => ({ client: agentClient, index }))
  for (const { index } of chain) await issue(store, list, index, agentClient)
  for (let part = 0; part < 10; part += 1) {
    const indexes = Array.from({ length: 60 }, (_, n) => 4 + part * 60 + n)
    const issued = await Promise.all(
      indexes.map(index => issue(store, list, index, hostClient, chain)),
    )
    t.deepEqual(tally(issued), { done: 60 })
  }
  const other = { openedAt: now, closesAt: later, expiresAt: listEnd + 1 }
  const second = await store.statusLists.open({ name: 'two', size, ...other })
  await issue(store, second, 1, hostClient, chain.slice(0, 1))
  await store.close()
  t.deepEqual(rowsOf(path), { token_parents: 2_401, tokens: 605, status_lists: 2 })
  for (const [time, left] of [
    [listEnd, { token_parents: 2_401, tokens: 605, status_lists: 2 }],
    [listEnd + 1, { token_parents: 1, tokens: 1, status_lists: 1 }],
    [listEnd + 2, { token_parents: 0, tokens: 0, status_lists: 0 }],
  ] as const) {
    const again = await openStore(t, { path })
    await again.sweep(time)
    await again.close()
    t.deepEqual(rowsOf(path), left)
  }
})

/** How many rows there are, in the file of a store that is closed. */
function rowsOf(path: string): Record<string, unknown> {
  const database = new DatabaseSync(path)
  const tables = ['token_parents', 'tokens', 'status_lists']
  const rows = tables.map(table => {
    return [table, database.prepare(`select count(*) as n from ${table}`).get()?.['n']] as const
  })
  database.close()
  return Object.fromEntries(rows)
}
