import test from 'ava'
import {
  admit,
  agent,
  authority,
  certificate,
  challenge,
  contend,
  entry,
  host,
  key,
  later,
  logSize,
  openStore,
  operator,
  populate,
  revocation,
  revoke,
  tally,
} from './fixtures.ts'

test('a host admitted again keeps its id and day of enrolment, and takes the new facts', async t => {
  const store = await openStore(t)
  await admit(store)
  const renewed = {
    ...host,
    name: 'renamed',
    enrolledAt: later,
    attestedAt: later,
    attestationExpiresAt: later + 1,
    jkt: 'host-key-2',
    stateVersion: 2,
  }
  t.is(await admit(store, { ...renewed, id: 'host-2' }), 'state-changed')
  t.is(await admit(store, renewed), 'done')
  t.is((await store.hosts.list()).length, 1)
  t.like(await store.hosts.find('host-1'), {
    name: 'renamed',
    enrolledAt: host.enrolledAt,
    attestedAt: later,
    attestationExpiresAt: later + 1,
    jkt: 'host-key-2',
  })
  t.is(await store.hosts.find('host-2'), undefined)
  t.like(await store.clients.findByKey('host-key-2'), { kind: 'host', host: { id: 'host-1' } })
})

test('a former key of a host authenticates nobody, nor do its certificates', async t => {
  const store = await openStore(t)
  await store.authorities.adopt(authority, entry('authority.activated'))
  await admit(store)
  const own = {
    ...certificate,
    subjectKind: 'host' as const,
    subjectId: 'host-1',
    jkt: 'host-key-1',
  }
  await store.certificates.intend(own, entry('certificate.intended'))
  await store.certificates.issue('0a1b', { x5t: 'x5t' }, entry('certificate.issued'))
  await admit(store, { ...host, jkt: 'host-key-2', stateVersion: 2 })
  const client = { kind: 'host', id: 'host-1', jkt: 'host-key-1' } as const
  t.is(await store.clients.findByKey('host-key-1'), undefined)
  t.is(await store.clients.act({ client, replayKeys: [] }), 'revoked')
  t.like(await store.certificates.find('x5t'), { status: 'revoked' })
  t.is(
    await store.certificates.intend({ ...own, serial: '0a1c' }, entry('certificate.intended')),
    'subject-revoked',
  )
})

test('one of a hundred first enrolments of one TPM makes its host', async t => {
  const store = await openStore(t)
  const answers = await contend(n => admit(store, { ...host, id: `host-${n}`, jkt: `key-${n}` }))
  t.deepEqual(tally(answers), { done: 1, 'state-changed': 99 })
  t.deepEqual(
    (await store.hosts.list()).map(found => [found.id, found.jkt]),
    [['host-0', 'key-0']],
  )
  t.is((await store.attestations.list(null, 100)).length, 1)
  t.is(await logSize(store), 1)
})

test('of a hundred re-attestations that saw the same state one counts', async t => {
  const store = await openStore(t)
  await admit(store)
  const answers = await contend(n => admit(store, { ...host, jkt: `key-${n}`, stateVersion: 2 }))
  t.deepEqual(tally(answers), { done: 1, 'state-changed': 99 })
  t.like(await store.hosts.find('host-1'), { stateVersion: 2, jkt: 'key-0' })
  t.is(await store.clients.findByKey('key-1'), undefined)
  t.is(await logSize(store), 2)
  t.is(await admit(store, { ...host, stateVersion: 2 }), 'state-changed')
  t.is(await admit(store, { ...host, stateVersion: 3 }), 'done')
})

test('a name belongs to one active host; a revoked one gives it back', async t => {
  const store = await openStore(t)
  await admit(store)
  const other = { ...host, id: 'host-2', endorsementId: 'endorsement-2', jkt: 'host-key-2' }
  t.is(await admit(store, other), 'name-in-use')
  t.is(await admit(store, { ...other, name: 'rack 5' }), 'done')
  t.like(await store.hosts.findByName('rack 4'), { id: 'host-1' })
  t.is(await admit(store, { ...other, stateVersion: 2 }), 'name-in-use')
  await revoke(store, { kind: 'host', id: 'host-1' })
  t.is(await store.hosts.findByName('rack 4'), undefined)
  t.is(await admit(store, { ...other, stateVersion: 2 }), 'done')
})

test('one of a hundred TPMs gets a name that all of them claim', async t => {
  const store = await openStore(t)
  const answers = await contend(n =>
    admit(store, { ...host, id: `h${n}`, endorsementId: `e${n}`, jkt: `k${n}` }),
  )
  t.deepEqual(tally(answers), { done: 1, 'name-in-use': 99 })
})

test('a revoked TPM does not come back under a new name, id or key', async t => {
  const store = await openStore(t)
  await admit(store)
  await revoke(store, { kind: 'host', id: 'host-1' })
  const before = await logSize(store)
  const again = { ...host, id: 'host-2', name: 'innocent', jkt: 'host-key-2' }
  t.is(await admit(store, again), 'revoked')
  t.is(await admit(store, { ...again, id: 'host-1', stateVersion: 2 }), 'revoked')
  t.is(await logSize(store), before)
  t.is(await store.clients.findByKey('host-key-2'), undefined)
  t.like(await store.hosts.find('host-1'), {
    status: 'revoked',
    revokedAt: revocation.at,
    revocationReason: 'stolen',
  })
})

test('a key speaks for one client among operators, hosts and agents', async t => {
  const store = await openStore(t)
  await store.operators.add(operator, key('operator-key'), entry('operator.added'))
  await populate(store)
  await store.agents.create(
    { ...agent, id: 'agent-2' },
    { ...challenge, id: 'challenge-2', subject: 'agent-2' },
    entry('agent.created'),
  )
  const before = await logSize(store)
  const other = { ...host, id: 'host-2', name: 'rack 5', endorsementId: 'endorsement-2' }
  for (const jkt of ['operator-key', 'host-key-1', 'agent-key-1']) {
    const mallory = { ...operator, id: 'mallory', jkt }
    t.is(await store.operators.add(mallory, key(jkt), entry('x')), 'key-in-use')
    t.is(await store.agents.bindKey('agent-2', key(jkt), entry('x')), 'key-in-use')
    t.is(await admit(store, { ...other, jkt }), 'key-in-use')
  }
  t.is(await logSize(store), before)
  t.is((await store.hosts.list()).length, 1)
})

test('one of a hundred agents gets a key that all of them claim', async t => {
  const store = await openStore(t)
  await populate(store)
  await contend(n =>
    store.agents.create(
      { ...agent, id: `agent-x${n}` },
      { ...challenge, id: `challenge-x${n}` },
      entry('agent.created'),
    ),
  )
  const answers = await contend(n =>
    store.agents.bindKey(`agent-x${n}`, key('shared'), entry('agent.attested')),
  )
  t.deepEqual(tally(answers), { done: 1, 'key-in-use': 99 })
})

test('a former key of a client can become nobody else’s', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.agents.bindKey('agent-1', key('agent-key-2'), entry('agent.attested'))
  t.is(await store.clients.findByKey('agent-key-1'), undefined)
  const mallory = { ...operator, id: 'mallory', jkt: 'agent-key-1' }
  t.is(await store.operators.add(mallory, key('agent-key-1'), entry('x')), 'key-in-use')
  t.is(await store.agents.bindKey('agent-1', key('agent-key-1'), entry('x')), 'done')
  t.like(await store.clients.findByKey('agent-key-1'), { kind: 'agent' })
  t.is(await store.clients.findByKey('agent-key-2'), undefined)
})

test('a revoked host takes its agents and certificates with it, and nobody else', async t => {
  const store = await openStore(t)
  await populate(store)
  await admit(store, {
    ...host,
    id: 'host-2',
    name: 'rack 5',
    endorsementId: 'endorsement-2',
    jkt: 'host-key-2',
  })
  await store.agents.create(
    { ...agent, id: 'agent-2', hostId: 'host-2' },
    { ...challenge, id: 'challenge-2', subject: 'agent-2' },
    entry('agent.created'),
  )
  const host1 = { subjectKind: 'host', subjectId: 'host-1', jkt: 'host-key-1' } as const
  const host2 = { subjectKind: 'host', subjectId: 'host-2', jkt: 'host-key-2' } as const
  const certificates = [
    certificate,
    { ...certificate, ...host1, serial: '01' },
    { ...certificate, ...host2, serial: '02' },
    { ...certificate, serial: '03', notAfter: revocation.at },
  ]
  for (const one of certificates) {
    t.is(await store.certificates.intend(one, entry('certificate.intended')), 'done')
    const result = { x5t: `x5t-${one.serial}` }
    t.is(await store.certificates.issue(one.serial, result, entry('certificate.issued')), 'done')
  }
  const taken = await revoke(store, { kind: 'host', id: 'host-1' })
  t.like(taken, { hosts: 1, agents: 1, certificates: 2 })
  t.is(await revoke(store, { kind: 'host', id: 'host-1' }), 'already')
  t.is(await revoke(store, { kind: 'host', id: 'nobody' }), 'unknown')
  t.like(await store.agents.find('agent-1'), {
    status: 'revoked',
    revokedAt: revocation.at,
    revocationReason: 'stolen',
  })
  t.like(await store.agents.find('agent-2'), { status: 'pending' })
  t.like(await store.certificates.find('x5t-0a1b'), { status: 'revoked' })
  t.like(await store.certificates.find('x5t-01'), { status: 'revoked' })
  t.like(await store.certificates.find('x5t-02'), { status: 'issued' })
  t.like(await store.clients.findByKey('agent-key-1'), {
    agent: { status: 'revoked' },
    host: { status: 'revoked' },
  })
})

test('one of a hundred revocations counts what it took', async t => {
  const store = await openStore(t)
  await populate(store)
  const answers = await contend(() => revoke(store, { kind: 'host', id: 'host-1' }))
  t.deepEqual(tally(answers), { record: 1, already: 99 })
})

test('a revoked host gets no agents and its agents no keys', async t => {
  const store = await openStore(t)
  await populate(store)
  await revoke(store, { kind: 'host', id: 'host-1' })
  const second = { ...agent, id: 'agent-2' }
  const { agents } = store
  t.is(await agents.create(second, { ...challenge, id: 'c2' }, entry('x')), 'host-revoked')
  t.is(await agents.create({ ...second, hostId: 'x' }, challenge, entry('x')), 'host-revoked')
  t.is(await agents.bindKey('agent-1', key('agent-key-2'), entry('x')), 'host-revoked')
  t.is(await agents.bindKey('nobody', key('agent-key-2'), entry('x')), 'unknown')
})

test('a revoked agent gets no key, its host stays', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.certificates.intend(certificate, entry('certificate.intended'))
  const { agents } = store
  t.deepEqual(await revoke(store, { kind: 'agent', id: 'agent-1' }), {
    hosts: 0,
    agents: 1,
    certificates: 1,
    tokens: 0,
    operators: 0,
  })
  t.is(await revoke(store, { kind: 'agent', id: 'agent-1' }), 'already')
  t.is(await revoke(store, { kind: 'agent', id: 'nobody' }), 'unknown')
  t.is(await agents.bindKey('agent-1', key('agent-key-2'), entry('x')), 'revoked')
  t.like(await store.hosts.find('host-1'), { status: 'active' })
})
