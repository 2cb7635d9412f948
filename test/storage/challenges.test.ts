import test from 'ava'
import { DatabaseSync } from 'node:sqlite'
import { readFileSync } from 'node:fs'
import type { EnrollmentRecord } from '../../src/ports/records.ts'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  challenge,
  contend,
  createFolder,
  enrollment,
  entry,
  later,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  populate,
  tally,
} from './fixtures.ts'

test('one of a hundred callers takes an enrolment, the others are told that it is used', async t => {
  const store = await openStore(t)
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  const answers = await contend(() => store.enrollments.take('enrollment-1', now))
  t.deepEqual(tally(answers), { record: 1, used: 99 })
  t.is(await store.enrollments.take('enrollment-1', now), 'used')
})

test('an enrolment is dead from the millisecond it expires, and unknown once swept', async t => {
  const store = await openStore(t)
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  t.is(await store.enrollments.take('enrollment-1', later), 'expired')
  t.is(await store.enrollments.take('nothing', now), 'unknown')
  await store.sweep(later)
  t.is(await store.enrollments.take('enrollment-1', later), 'expired')
  await store.sweep(later + 1)
  t.is(await store.enrollments.take('enrollment-1', now), 'unknown')
})

/** What a database file holds of an enrolment that nothing is left of once it is over. */
function tracesOf(path: string, { secret, ...keys }: EnrollmentRecord): boolean[] {
  const file = readFileSync(path)
  const { endorsementCertificate, endorsementPublic, attestationPublic } = keys
  const chain = keys.endorsementChain.map(bytes => Buffer.from(bytes).toString('base64url'))
  const parts = [secret, endorsementCertificate ?? '', endorsementPublic, attestationPublic]
  return [...parts, ...chain].map(part => file.includes(Buffer.from(part)))
}

const whole: EnrollmentRecord = {
  ...enrollment,
  endorsementCertificate: Buffer.from('the certificate of an endorsement key'),
  endorsementChain: [Buffer.from('the certificate of its issuer')],
  endorsementPublic: Buffer.from('the public area of an endorsement key'),
  attestationPublic: Buffer.from('the public area of an attestation key'),
}

for (const [how, end] of [
  ['taken', async (store: Store) => await store.enrollments.take('enrollment-1', now)],
  ['refused', async (store: Store) => await store.enrollments.refuse('enrollment-1', entry('r'))],
] as const) {
  test(`an enrolment that is ${how} keeps its id but leaves its secret and keys nowhere in the file`, async t => {
    const path = `${createFolder(t)}/assay.db`
    const store = await openSqliteStore({ path, logOrigin, logKey })
    await store.enrollments.create(whole, entry('enrollment.created'))
    await store.close()
    t.deepEqual(new Set(tracesOf(path, whole)), new Set([true]))
    const again = await openSqliteStore({ path, logOrigin, logKey })
    await end(again)
    await again.close()
    t.deepEqual(new Set(tracesOf(path, whole)), new Set([false]))
    const database = new DatabaseSync(path)
    t.like(database.prepare('select id, secret from enrollments').get(), {
      id: 'enrollment-1',
      secret: null,
    })
    database.close()
  })
}

test('a refused enrolment can no longer be taken, and its verdict is in the log', async t => {
  const store = await openStore(t)
  await store.enrollments.create(enrollment, entry('enrollment.created'))
  t.is(await store.enrollments.refuse('enrollment-1', entry('enrollment.refused')), 'done')
  t.is(await store.enrollments.take('enrollment-1', now), 'used')
  t.is(await logSize(store), 2)
})

test('one of a hundred callers takes a challenge', async t => {
  const store = await openStore(t)
  await populate(store)
  const answers = await contend(() =>
    store.challenges.take({ id: 'challenge-1', subject: 'agent-1', purpose: 'agent-key' }, now),
  )
  t.deepEqual(tally(answers), { record: 1, used: 99 })
})

test('a challenge does not exist for another subject, and asking does not use it up', async t => {
  const store = await openStore(t)
  await populate(store)
  const take = async (changes: { id?: string; subject?: string }, at = now): Promise<unknown> =>
    await store.challenges.take(
      { id: 'challenge-1', subject: 'agent-1', purpose: 'agent-key', ...changes },
      at,
    )
  t.is(await take({ subject: 'agent-2' }), 'unknown')
  t.is(await take({ id: 'nothing' }), 'unknown')
  t.is(await take({}, later), 'expired')
  t.like(await take({}), { id: 'challenge-1' })
})

test('a challenge can be made again for a later key', async t => {
  const store = await openStore(t)
  await populate(store)
  const second = { ...challenge, id: 'challenge-2' }
  t.is(await store.challenges.create(second, entry('challenge.created')), 'done')
  t.like(
    await store.challenges.take(
      { id: 'challenge-2', subject: 'agent-1', purpose: 'agent-key' },
      now,
    ),
    { id: 'challenge-2' },
  )
  await store.sweep(later + 1)
  t.is(
    await store.challenges.take(
      { id: 'challenge-2', subject: 'agent-1', purpose: 'agent-key' },
      now,
    ),
    'unknown',
  )
})

test('a refusal ends the challenge that it answers, and no other, with its entry', async t => {
  const store = await openStore(t)
  await populate(store)
  const use = { id: 'challenge-1', subject: 'agent-1', purpose: 'agent-key' } as const
  const size = await logSize(store)
  t.is(await store.challenges.refuse({ ...use, subject: 'agent-2' }, now, entry('r')), 'done')
  t.is(typeof (await store.challenges.find(use, now)), 'object')
  t.is(await store.challenges.refuse(use, now, entry('r')), 'done')
  t.is(await store.challenges.find(use, now), 'used')
  t.is(await store.challenges.refuse(use, now, entry('r')), 'done')
  t.is(await logSize(store), size + 3)
})
