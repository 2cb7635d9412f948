import test from 'ava'
import { Authorities } from '../../src/services/authorities.ts'
import {
  activateAuthority,
  adoptFirstAuthority,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import { codesOf } from '../support/codes-of.ts'
import { createTestService } from '../support/test-service.ts'

const now = { isForced: false, reason: null }

test('of a hundred activations at once one counts, of one authority and of several', async t => {
  const { service } = await createTestService(t)
  const prepared: string[] = []
  for (let n = 0; n < 4; n += 1) {
    const { authority } = await prepareAuthority(service, 'o', { kind: 'root', reason: null })
    prepared.push(authority.id)
  }
  const contend = Array.from(
    { length: 100 },
    async (_, n) => await activateAuthority(service, 'o', prepared[n % 4] ?? '', now),
  )
  const counts = await codesOf(contend)
  t.is(counts['done'], 1)
  t.is((counts['authority-conflict'] ?? 0) + (counts['authority-state'] ?? 0), 99)
  const states = service.authorities.records.map(({ state }) => state)
  t.deepEqual(states.toSorted(), ['active', 'prepared', 'prepared', 'prepared', 'retired'])
})

test('one that has come to its end does not begin to issue, and what issued goes on', async t => {
  const { service, clock } = await createTestService(t)
  const first = service.authorities.active().id
  const { authority } = await prepareAuthority(service, 'o', { kind: 'root', reason: null })
  clock.advance(366 * 86_400_000)
  const code = 'authority-expired'
  await t.throwsAsync(activateAuthority(service, 'o', authority.id, now), { code })
  const forced = { isForced: true, reason: 'x' }
  await t.throwsAsync(activateAuthority(service, 'o', authority.id, forced), { code })
  t.is(service.authorities.active().id, first)
  const next = await prepareAuthority(service, 'o', { kind: 'root', reason: null })
  await activateAuthority(service, 'o', next.authority.id, now)
  t.is(service.authorities.active().id, next.authority.id)
})

test('of a hundred to taint or to revoke one counts', async t => {
  const { service } = await createTestService(t)
  const first = service.authorities.active().id
  const hundred = Array.from({ length: 100 })
  const taints = hundred.map(async () => await taintAuthority(service, 'o', first, 'x'))
  t.deepEqual(await codesOf(taints), { done: 1, 'authority-state': 99 })
  const revocations = hundred.map(async () => await revokeAuthority(service, 'o', first, 'x'))
  t.deepEqual(await codesOf(revocations), { done: 1, 'authority-state': 99 })
})

test('a service that starts again finds its authorities as they were, and no key of one that never came to be', async t => {
  const { service, keyFiles } = await createTestService(t)
  const { keys } = service.authorities
  const { authority } = await prepareAuthority(service, 'o', { kind: 'root', reason: 'r' })
  await activateAuthority(service, 'o', authority.id, now)
  // A crash after the key was made and before its record was.
  const serials = [service.random.bytes(16), service.random.bytes(16)] as const
  const orphan = await keys.create({
    record: async () => await Promise.resolve(),
    root: undefined,
    place: 'issuing',
    now: service.clock.now(),
    serials,
  })
  t.true(keyFiles.list().includes(orphan.keyReference))

  const again = { ...service, authorities: await Authorities.load(service.store, keys) }
  await adoptFirstAuthority(again, { chain: [], keyReference: 'issuing.key.pem' })
  t.deepEqual(again.authorities.records, service.authorities.records)
  t.is(again.authorities.active().id, authority.id)
  t.is((await again.authorities.active().signer.sign(new Uint8Array(1))).length, 64)
  t.false(keyFiles.list().includes(orphan.keyReference))
  t.is(keyFiles.list().length, 4)
  t.is(again.authorities.find('nobody'), undefined)
})

test('an intermediate needs the key of its root, and a signer the key of its certificate', async t => {
  const { service, keyFiles } = await createTestService(t)
  const request = { kind: 'intermediate', reason: null } as const
  await t.notThrowsAsync(prepareAuthority(service, 'o', request))
  keyFiles.setAside('root.key.pem')
  await t.throwsAsync(prepareAuthority(service, 'o', request), { code: 'authority-root-absent' })
  const { keys, records } = service.authorities
  const [first, other] = records
  const wrong = { chain: first?.chain ?? [], keyReference: other?.keyReference ?? '' }
  t.throws(() => keys.open(wrong).sign(new Uint8Array(1)), { code: 'authority-key-unusable' })
})
