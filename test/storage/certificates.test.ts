import test from 'ava'
import { parseAuditEntry } from '../../src/core/log/audit-entry.ts'
import { parseEntryBundle } from '../../src/core/log/entry-bundle.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  agent,
  certificate,
  challenge,
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
  populate,
  revoke as takeBack,
  tally,
} from './fixtures.ts'

test('an intent needs an active subject, its present key, and an attestation that lasts', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.agents.create(
    { ...agent, id: 'agent-2' },
    { ...challenge, id: 'challenge-2' },
    entry('agent.created'),
  )
  const before = await logSize(store)
  for (const wrong of [
    { ...certificate, subjectId: 'nobody' },
    { ...certificate, subjectId: 'agent-2' },
    { ...certificate, subjectKind: 'host' as const },
    { ...certificate, jkt: 'host-key-1' },
    { ...certificate, jkt: 'nothing' },
  ])
    t.is(
      await store.certificates.intend(wrong, entry('x')),
      'subject-revoked',
      JSON.stringify(wrong),
    )
  const long = { ...certificate, notAfter: later + 1 }
  t.is(await store.certificates.intend(long, entry('x')), 'attestation-expired')
  t.is(await logSize(store), before)
  t.is(await store.certificates.intend(certificate, entry('x')), 'done')
  await t.throwsAsync(store.certificates.intend(certificate, entry('x')), {
    code: 'store-conflict',
  })
})

test('a certificate does not leave when its subject or host was revoked before it was signed', async t => {
  for (const revoke of ['agent', 'host'] as const) {
    const store = await openStore(t)
    await populate(store)
    await store.certificates.intend(certificate, entry('certificate.intended'))
    if (revoke === 'agent') await takeBack(store, { kind: 'agent', id: 'agent-1' })
    else await takeBack(store, { kind: 'host', id: 'host-1' })
    const before = await logSize(store)
    const issued = store.certificates.issue('0a1b', { x5t: 'x5t' }, entry('certificate.issued'))
    t.is(await issued, 'revoked')
    t.is(await store.certificates.find('x5t'), undefined)
    t.is(await logSize(store), before)
    const next = { ...certificate, serial: '0a1c' }
    t.is(await store.certificates.intend(next, entry('x')), 'subject-revoked')
  }
})

test('a certificate does not leave when its subject got another key before it was signed', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.certificates.intend(certificate, entry('certificate.intended'))
  await store.agents.bindKey('agent-1', key('agent-key-2'), entry('agent.attested'))
  t.is(await store.certificates.issue('0a1b', { x5t: 'x5t' }, entry('x')), 'revoked')
})

test('an intent is answered once', async t => {
  const store = await openStore(t)
  await populate(store)
  await store.certificates.intend(certificate, entry('certificate.intended'))
  const answers = await contend(n =>
    store.certificates.issue('0a1b', { x5t: `x5t-${n}` }, entry('certificate.issued')),
  )
  t.deepEqual(tally(answers), { done: 1, revoked: 99 })
  t.is(await store.certificates.issue('none', { x5t: 'x' }, entry('x')), 'revoked')
})

test('intents that a crash left open become unknown, one entry each', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  await populate(store)
  for (const serial of ['01', '02', '03'])
    await store.certificates.intend({ ...certificate, serial }, entry('certificate.intended'))
  await store.certificates.issue('02', { x5t: 'x5t' }, entry('certificate.issued'))
  await store.close()

  const again = await openStore(t, { path })
  const before = await logSize(again)
  const entryOf = { type: 'certificate.unknown', time: now, actor: 'service' }
  t.is(await again.certificates.closeOrphans(entryOf), 2)
  t.is(await again.certificates.closeOrphans(entryOf), 0)
  t.is(await again.certificates.issue('01', { x5t: 'late' }, entry('x')), 'revoked')
  t.like(await again.certificates.find('x5t'), { status: 'issued' })
  const size = await logSize(again)
  const bundle = await again.audit.entryBundle(0, size)
  const entries = parseEntryBundle(bundle!, size).slice(before).map(parseAuditEntry)
  t.deepEqual(
    entries,
    ['01', '03'].map(serial => ({
      ...entryOf,
      subject: certificate.spiffeId,
      detail: { outcome: 'unknown', serial },
    })),
  )
})
