import test from 'ava'
import { createTokenKeyFiles } from '../../src/hsm/token-key-files.ts'
import type { Service } from '../../src/services/service.ts'
import { SignerError } from '../../src/ports/signer-error.ts'
import {
  announceSeconds,
  overlapSeconds,
  standingOf,
} from '../../src/services/token-key-standing.ts'
import {
  retireTokenKey,
  rotateTokenKey,
  startTokenKeys,
} from '../../src/services/token-key-rotation.ts'
import { TokenKeyRing } from '../../src/services/token-keys.ts'
import { codesOf } from '../support/codes-of.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { createTestService, type TestService } from '../support/test-service.ts'

const planned = { isForced: false, reason: null }
const forced = { isForced: true, reason: 'now' }

/** Where each key stands, in the order in which they sign. */
function standings({ service, clock }: Pick<TestService, 'service' | 'clock'>): string[] {
  const { records } = service.tokenKeys
  return records.map(record => standingOf(record, records, clock.now()))
}

const kids = ({ tokenKeys }: Service): string[] => tokenKeys.published.map(({ kid }) => kid)

/** Another process on the same store and the same files. */
function createPeer({ service, clock, tokenKeyFiles }: TestService): Service {
  const places = createTokenKeyFiles(tokenKeyFiles)
  return { ...service, tokenKeys: new TokenKeyRing({ store: service.store, clock, places }) }
}

test('a key is announced, signs, retires and is over, each at its time and without being told', async t => {
  const stage = await createTestService(t)
  const { service, clock } = stage
  const first = service.tokenKeys.current.kid
  const next = await rotateTokenKey(service, 'o', planned)
  t.deepEqual(standings(stage), ['signing', 'announced'])
  t.deepEqual(kids(service), [first, next.kid])
  clock.advance(announceSeconds(service.settings) * 1000 - 1)
  t.is(service.tokenKeys.current.kid, first)
  clock.advance(1)
  t.is(service.tokenKeys.current.kid, next.kid)
  t.is((await service.tokenKeys.current.sign(new Uint8Array(1))).length, 64)
  t.deepEqual(standings(stage), ['retiring', 'signing'])
  t.deepEqual(kids(service), [first, next.kid])
  clock.advance(overlapSeconds(service.settings) * 1000 - 1)
  t.deepEqual(kids(service), [first, next.kid])
  clock.advance(1)
  t.deepEqual(kids(service), [next.kid])
  t.deepEqual(standings(stage), ['over', 'signing'])
})

test('a key outlives whatever it signs, and is announced for longer than any copy is used', async t => {
  const { service } = await createTestService(t)
  const { settings } = service
  const long = { ...settings, attestation: { ...settings.attestation, validitySeconds: 600_000 } }
  t.true(overlapSeconds(long) > 600_000)
  t.true(overlapSeconds({ ...settings, certificateLifetimeSeconds: 86_401 }) > 86_401)
  t.true(announceSeconds({ ...settings, keySetMaxAgeSeconds: 4_000 }) > 4_000)
  t.true(announceSeconds({ ...settings, bundleRefreshSeconds: 5_000 }) > 5_000)
})

test('of a hundred rotations at once in two processes one counts, and leaves one key', async t => {
  const stage = await createTestService(t)
  const peer = createPeer(stage)
  await peer.tokenKeys.reload()
  const calls = Array.from(
    { length: 100 },
    async (_, n) => await rotateTokenKey(n % 2 === 0 ? stage.service : peer, 'o', planned),
  )
  t.deepEqual(await codesOf(calls), { done: 1, 'token-key-conflict': 99 })
  await stage.service.tokenKeys.reload()
  t.deepEqual(standings(stage), ['signing', 'announced'])
  t.is(stage.tokenKeyFiles.list().length, 2)
})

test('of a hundred that take the signing key out one counts, and one key follows it', async t => {
  const stage = await createTestService(t)
  const peer = createPeer(stage)
  await peer.tokenKeys.reload()
  const first = stage.service.tokenKeys.current.kid
  const calls = Array.from(
    { length: 100 },
    async (_, n) =>
      await retireTokenKey(n % 2 === 0 ? stage.service : peer, 'o', first, { reason: 'leaked' }),
  )
  const counts = await codesOf(calls)
  t.is(counts['done'], 1)
  await stage.service.tokenKeys.reload()
  t.deepEqual(standings(stage), ['retired', 'signing'])
  t.is(stage.tokenKeyFiles.list().length, 2)
})

test('a leaked key is taken out also while the place of the next one is away, where its successor may lie on the disk', async t => {
  const stage = await createTestService(t)
  const { service } = stage
  const { places, current } = service.tokenKeys
  const create = places.create.bind(places)
  places.create = async where =>
    where === 'embedded' ? await create() : await Promise.reject(new SignerError('signer-down'))
  const reason = 'leaked'
  await t.throwsAsync(retireTokenKey(service, 'o', current.kid, { reason }), {
    code: 'signer-down',
  })
  t.deepEqual(standings(stage), ['signing'])
  await retireTokenKey(service, 'o', current.kid, { reason, successor: 'embedded' })
  t.deepEqual(standings(stage), ['retired', 'signing'])
  t.not(service.tokenKeys.current.kid, current.kid)
})

test('by force a key signs at once, also one that was announced; the one before stays published', async t => {
  const stage = await createTestService(t)
  const { service } = stage
  const first = service.tokenKeys.current.kid
  const { kid: second } = await rotateTokenKey(service, 'o', forced)
  t.is(service.tokenKeys.current.kid, second)
  t.deepEqual(kids(service), [first, second])
  const { kid: third } = await rotateTokenKey(service, 'o', planned)
  t.is(service.tokenKeys.current.kid, second)
  await t.throwsAsync(rotateTokenKey(service, 'o', planned), { code: 'token-key-conflict' })
  t.is((await rotateTokenKey(service, 'o', forced)).kid, third)
  t.is(service.tokenKeys.current.kid, third)
  t.deepEqual(standings(stage), ['retiring', 'retiring', 'signing'])
})

test('a rotation of another key than the one that signs is none', async t => {
  const { service } = await createTestService(t)
  const from = service.tokenKeys.current.kid
  const stale = { ...planned, from: 'another' }
  await t.throwsAsync(rotateTokenKey(service, 'o', stale), { code: 'token-key-conflict' })
  await t.notThrowsAsync(rotateTokenKey(service, 'o', { ...planned, from }))
})

test('a key that is taken out verifies nothing at once, whatever it did', async t => {
  const stage = await createTestService(t)
  const { service } = stage
  const first = service.tokenKeys.current.kid
  const { kid: announced } = await rotateTokenKey(service, 'o', planned)
  await retireTokenKey(service, 'o', announced, { reason: 'never mind' })
  t.deepEqual(kids(service), [first])
  // The plan is gone with it: the first goes on signing for as long as nothing follows.
  stage.clock.advance(30 * 86_400_000)
  t.is(service.tokenKeys.current.kid, first)
  const { kid: second } = await rotateTokenKey(service, 'o', planned)
  await retireTokenKey(service, 'o', first, { reason: 'leaked' })
  t.is(service.tokenKeys.current.kid, second)
  t.deepEqual(kids(service), [second])
  const { kid: third } = await rotateTokenKey(service, 'o', forced)
  await retireTokenKey(service, 'o', second, { reason: 'leaked as well' })
  t.deepEqual(kids(service), [third])
  await retireTokenKey(service, 'o', third, { reason: 'and this' })
  t.is(kids(service).length, 1)
  t.false([first, second, third, announced].includes(service.tokenKeys.current.kid))
  await t.throwsAsync(retireTokenKey(service, 'o', first, { reason: 'x' }), {
    code: 'token-key-state',
  })
  await t.throwsAsync(retireTokenKey(service, 'o', 'nobody', { reason: 'x' }), {
    code: 'token-key-unknown',
  })
})

test('another process follows what it reads, and what was announced without reading again', async t => {
  const stage = await createTestService(t)
  const peer = createPeer(stage)
  await peer.tokenKeys.reload()
  const { kid } = await rotateTokenKey(stage.service, 'o', planned)
  await peer.tokenKeys.reload()
  stage.clock.advance(announceSeconds(peer.settings) * 1000)
  t.is(peer.tokenKeys.current.kid, kid)
  await retireTokenKey(stage.service, 'o', kid, { reason: 'leaked' })
  await peer.tokenKeys.reload()
  t.is(peer.tokenKeys.current.kid, stage.service.tokenKeys.current.kid)
  t.not(peer.tokenKeys.current.kid, kid)
})

test('a service that starts again has the keys of before, and none that never came on record', async t => {
  const stage = await createTestService(t)
  const { kid } = await rotateTokenKey(stage.service, 'o', planned)
  const again = createPeer(stage)
  // A crash after the key was made and before its record was.
  const orphan = await again.tokenKeys.places.create()
  await startTokenKeys(again, () => t.fail('there is a first key'))
  t.deepEqual(kids(again), kids(stage.service))
  t.deepEqual(stage.tokenKeyFiles.aside, [orphan.keyReference])
  t.is(stage.tokenKeyFiles.list().length, 2)
  stage.clock.advance(announceSeconds(again.settings) * 1000)
  t.is(again.tokenKeys.current.kid, kid)
  t.is((await again.tokenKeys.current.sign(new Uint8Array(1))).length, 64)
})

test('a service whose signing key is gone or another one does not start', async t => {
  const stage = await createTestService(t)
  const [name = ''] = stage.tokenKeyFiles.list()
  const kept = stage.tokenKeyFiles.read(name)
  const start = async (): Promise<void> =>
    await startTokenKeys(createPeer(stage), () => t.fail('there is a first key'))
  stage.tokenKeyFiles.setAside(name)
  await t.throwsAsync(start())
  const { keyReference: other } = await createPeer(stage).tokenKeys.places.create()
  stage.tokenKeyFiles.write(name, stage.tokenKeyFiles.read(other))
  await t.throwsAsync(start(), { code: 'key-malformed' })
  stage.tokenKeyFiles.setAside(name)
  stage.tokenKeyFiles.write(name, kept)
  await t.notThrowsAsync(start())
})

test('every act on a key is on record with it', async t => {
  const { service } = await createTestService(t)
  const first = service.tokenKeys.current.kid
  await rotateTokenKey(service, 'o', planned)
  await rotateTokenKey(service, 'o', forced)
  await retireTokenKey(service, 'o', first, { reason: 'leaked' })
  const types = (await verifyTestLog(service)).map(({ type }) => type)
  t.deepEqual(
    types.filter(type => type.startsWith('token-key.')),
    ['token-key.adopted', 'token-key.rotated', 'token-key.hastened', 'token-key.retired'],
  )
})
