import test, { type ExecutionContext } from 'ava'
import type { RevocationTarget } from '../../src/ports/revocation.ts'
import type { Store } from '../../src/ports/store.ts'
import {
  admit,
  agent,
  agentClass,
  anchor,
  certificate,
  challenge,
  entry,
  host,
  kept,
  key,
  openStore,
  operator,
  populate,
  revoke,
} from './fixtures.ts'

const root = 'aa'.repeat(32)
const intermediate = 'bb'.repeat(32)

/** A second host with its own path and firmware, that none of the targets below may touch. */
async function populateTwo(t: ExecutionContext): Promise<Store> {
  const store = await openStore(t)
  await populate(store)
  const renewed = { ...host, stateVersion: 2, firmwareVersion: '0007005500000000' }
  const first = kept({ id: 'again', hostId: host.id })
  const anchors = [intermediate, root]
  t.is(await store.hosts.admit(renewed, key(host.jkt), first, entry('e'), anchors), 'done')
  await admitOther(store)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  const issued = { ...certificate, jkt: 'agent-key-1' }
  t.is(await store.certificates.intend(issued, entry('c')), 'done')
  t.is(await store.certificates.issue(issued.serial, { x5t: 'x5t' }, entry('c')), 'done')
  return store
}

async function admitOther(store: Store, changes: Partial<typeof host> = {}): Promise<string> {
  const other = {
    ...host,
    id: 'host-9',
    name: 'rack 9',
    endorsementId: 'endorsement-9',
    jkt: 'host-key-9',
    firmwareVersion: '0007005600000000',
    ...changes,
  }
  const attestation = kept({ id: `attestation-${other.id}`, hostId: other.id })
  return await store.hosts.admit(other, key(other.jkt), attestation, entry('e'), ['cc'.repeat(32)])
}

const below: readonly { readonly target: RevocationTarget; readonly hosts: number }[] = [
  { target: { kind: 'host', id: 'host-1' }, hosts: 1 },
  { target: { kind: 'endorsement', id: 'endorsement-1' }, hosts: 1 },
  { target: { kind: 'anchor', fingerprint: root }, hosts: 1 },
  { target: { kind: 'anchor', fingerprint: intermediate }, hosts: 1 },
  {
    target: {
      kind: 'firmware',
      vendor: 'id:49465800',
      lowest: '0007000000000000',
      highest: '00070055ffffffff',
    },
    hosts: 1,
  },
  { target: { kind: 'agent', id: 'agent-1' }, hosts: 0 },
  { target: { kind: 'class', name: agentClass.name }, hosts: 0 },
]

for (const { target, hosts } of below)
  test(`revoking ${Object.values(target).join(' ')} takes everything below it and nothing beside`, async t => {
    const store = await populateTwo(t)
    t.like(await revoke(store, target), { hosts, certificates: 1 })
    t.like(await store.agents.find('agent-1'), { status: 'revoked' })
    t.like(await store.certificates.find('x5t'), {
      status: 'revoked',
      revocationReason: 'unspecified',
    })
    t.like(await store.hosts.find('host-1'), { status: hosts === 1 ? 'revoked' : 'active' })
    t.like(await store.hosts.find('host-9'), { status: 'active' })
    t.is(await revoke(store, target), 'already')
  })

test('a certificate falls alone, an operator with nothing', async t => {
  const store = await populateTwo(t)
  const { serial } = certificate
  t.like(await revoke(store, { kind: 'certificate', serial }), { certificates: 1, agents: 0 })
  t.is(await revoke(store, { kind: 'certificate', serial }), 'already')
  t.like(await store.agents.find('agent-1'), { status: 'active' })
  t.like(await revoke(store, { kind: 'operator', id: operator.id }), { operators: 1 })
})

test('what is not there is unknown, but a key, a certificate or firmware can be barred before', async t => {
  const store = await openStore(t)
  for (const target of [
    { kind: 'host', id: 'x' },
    { kind: 'agent', id: 'x' },
    { kind: 'class', name: 'x' },
    { kind: 'operator', id: 'x' },
    { kind: 'certificate', serial: 'x' },
  ] as const)
    t.is(await revoke(store, target), 'unknown')
  t.like(await revoke(store, { kind: 'endorsement', id: 'endorsement-9' }), { hosts: 0 })
  t.is(await admitOther(store), 'endorsement-revoked')
  t.is(await admitOther(store, { endorsementId: 'endorsement-8' }), 'done')
})

test('what an anchor vouched for does not enrol once it is revoked, nor is it admitted again', async t => {
  const store = await openStore(t)
  const change = { at: 1, by: 'operator/1' }
  await store.anchors.add(anchor, entry('anchor.added'))
  t.like(await revoke(store, { kind: 'anchor', fingerprint: anchor.fingerprint }), { hosts: 0 })
  t.deepEqual(await store.anchors.listActive(), [])
  t.is(await store.anchors.approve([anchor.fingerprint], change, entry('a')), 'revoked')
  t.is(
    await revoke(store, { kind: 'anchor', fingerprint: 'cc'.repeat(32) }).then(() =>
      admitOther(store),
    ),
    'anchor-revoked',
  )
})

test('firmware in a revoked range does not enrol, its neighbours do', async t => {
  const store = await openStore(t)
  const [lowest, highest] = ['0007005600000000', '00070056ffffffff']
  await revoke(store, { kind: 'firmware', vendor: host.firmwareVendor!, lowest, highest })
  t.is(await admitOther(store), 'firmware-revoked')
  t.is(await admitOther(store, { firmwareVersion: highest }), 'firmware-revoked')
  t.is(await admitOther(store, { firmwareVersion: '0007005700000000' }), 'done')
})

test('no agent of a revoked class is created', async t => {
  const store = await openStore(t)
  await populate(store)
  await revoke(store, { kind: 'class', name: agentClass.name })
  const another = { ...agent, id: 'agent-7', jkt: null, status: 'pending' as const }
  t.is(await store.agents.create(another, { ...challenge, id: 'c7' }, entry('a')), 'class-revoked')
  t.is(await admit(store, { ...host, stateVersion: 2 }), 'done')
})

test('a preview counts what would fall and changes nothing', async t => {
  const store = await populateTwo(t)
  const act = {
    target: { kind: 'host', id: 'host-1' },
    at: 1,
    reasonCode: 'unspecified',
    reason: 'x',
    author: 'op',
  } as const
  const counts = await store.revocations.preview(act)
  t.like(counts, { hosts: 1, certificates: 1 })
  t.like(await store.hosts.find('host-1'), { status: 'active' })
  t.deepEqual((await store.revocations.readEvents(0, 10)).events, [])
  t.deepEqual(await revoke(store, act.target), counts)
  t.is(await store.revocations.preview(act), 'already')
})

test('what fell is told once and in order, in parts where it is much', async t => {
  const store = await populateTwo(t)
  await revoke(store, { kind: 'agent', id: 'agent-1' })
  await revoke(store, { kind: 'host', id: 'host-1' })
  const { events, newest, oldest } = await store.revocations.readEvents(0, 10)
  t.deepEqual([oldest, newest], [1, 2])
  t.like(events[0], { sequence: 1, event: { kind: 'agent', isLast: true, certificates: ['0a1b'] } })
  t.like(events[1]?.event, { kind: 'host', hosts: ['host-1'], certificates: [] })
  t.is((await store.revocations.readEvents(1, 10)).events.length, 1)
})
