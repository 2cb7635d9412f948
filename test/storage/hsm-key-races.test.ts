import test, { type ExecutionContext } from 'ava'
import type { HsmKeyRecord } from '../../src/ports/hsm-records.ts'
import type { Store } from '../../src/ports/store.ts'
import {
  agent,
  certificate,
  challenge,
  contend,
  entry,
  host,
  kept,
  key,
  now,
  openStore,
  populate,
  tally,
} from './fixtures.ts'

const registered: HsmKeyRecord = {
  jkt: 'voucher',
  jwk: '{}',
  name: 'rack 4',
  manufacturer: 'Maker of HSMs',
  model: 'Box 7',
  tokenId: 'token-1',
  registeredAt: now,
  registeredBy: 'operator/1',
  retiredAt: null,
  retiredBy: null,
  retirementReason: null,
}

const acts = {
  admit: async (store, n) => {
    const next = { ...host, id: `host-x${n}`, name: `x${n}`, endorsementId: `e${n}`, jkt: `k${n}` }
    const proof = kept({ id: `a${n}`, hostId: next.id })
    return await store.hosts.admit(next, key(next.jkt), proof, entry('x'), [], 'voucher')
  },
  bind: async (store, n) => {
    const created = { ...agent, id: `agent-x${n}` }
    await store.agents.create(created, { ...challenge, id: `c${n}` }, entry('x'))
    return await store.agents.bindKey(created.id, key(`k${n}`), entry('x'), 'voucher')
  },
  renew: async (store, n) => {
    const next = { ...certificate, serial: `serial${n}` }
    return await store.certificates.intend(next, entry('x'), null, 'voucher')
  },
} satisfies Record<string, (store: Store, n: number) => Promise<string>>

async function begin(t: ExecutionContext): Promise<Store> {
  const store = await openStore(t)
  await populate(store)
  await store.hsmKeys.add(registered, entry('hsm-key.registered'))
  return store
}

for (const [name, act] of Object.entries(acts))
  test(`${name}: of a hundred contenders beside a retirement none gets through after it`, async t => {
    const store = await begin(t)
    t.is(await act(store, 1000), 'done')
    const change = { at: now, by: 'operator/1', reason: 'lost' }
    const answers = await contend(async n => {
      if (n !== 50) return await act(store, n)
      const answer = await store.hsmKeys.retire('voucher', change, entry('hsm-key.retired'))
      return answer === 'done' ? 'retired' : answer
    })
    t.false(answers.slice(51).includes('done'), 'behind the retirement')
    const { done = 0, 'hsm-key-retired': refused = 0, ...rest } = tally(answers)
    t.is(done + refused, 99)
    t.true(refused > 0)
    t.deepEqual(rest, { retired: 1 })
    t.is(await act(store, 1001), 'hsm-key-retired')
  })

test('a key that nobody registered vouches for nothing', async t => {
  const store = await openStore(t)
  await populate(store)
  for (const [n, act] of Object.values(acts).entries()) t.is(await act(store, n), 'hsm-key-retired')
})
