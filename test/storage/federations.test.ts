import test from 'ava'
import type { FederationRecord, FollowedBundle } from '../../src/ports/federation.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import {
  contend,
  createFolder,
  entry,
  logKey,
  logOrigin,
  logSize,
  now,
  openStore,
  tally,
} from './fixtures.ts'

const federation: FederationRecord = {
  trustDomain: 'other.example',
  id: 'federation-1',
  url: 'https://other.example/bundle.json',
  profile: 'https_spiffe',
  endpointId: 'spiffe://other.example/bundles',
  addedAt: now,
  addedBy: 'operator/1',
  bundle: '{"keys":[]}',
  bundleSha256: 'aa',
  bundleSequence: 1,
  bundleRefreshSeconds: 60,
  bundleKeptAt: now,
  failure: null,
  failedAt: null,
}
const web: FederationRecord = {
  ...federation,
  trustDomain: 'a.example',
  id: 'federation-2',
  profile: 'https_web',
  endpointId: null,
  bundle: null,
  bundleSha256: null,
  bundleSequence: 0,
  bundleRefreshSeconds: null,
  bundleKeptAt: null,
}
const next: FollowedBundle = {
  bundle: '{"keys":[],"spiffe_sequence":2}',
  bundleSha256: 'bb',
  bundleSequence: 2,
  bundleRefreshSeconds: 90,
  basis: 'aa',
  at: now + 1,
}

test('a relationship comes back exactly, also after the database was closed', async t => {
  const path = `${createFolder(t)}/assay.db`
  const store = await openSqliteStore({ path, logOrigin, logKey })
  t.is(await store.federations.add(federation, entry('a')), 'done')
  t.is(await store.federations.add(web, entry('a')), 'done')
  await store.close()
  const again = await openStore(t, { path })
  const summaries = [web, federation].map(({ bundle: _bundle, ...summary }) => summary)
  t.deepEqual(await again.federations.list(), summaries)
  t.deepEqual(await again.federations.find('other.example'), federation)
  t.is(await again.federations.find('unknown.example'), undefined)
})

test('a trust domain is followed at one endpoint, until that is ended', async t => {
  const store = await openStore(t)
  t.is(await store.federations.add(federation, entry('a')), 'done')
  t.is(await store.federations.add({ ...federation, id: 'x' }, entry('a')), 'exists')
  t.is(await store.federations.remove('other.example', entry('r')), 'done')
  t.is(await store.federations.remove('other.example', entry('r')), 'unknown')
  t.is(await store.federations.add({ ...federation, id: 'x' }, entry('a')), 'done')
  t.is(await logSize(store), 3)
})

test('a bundle takes the place of the one that it was held against, and of no other', async t => {
  const store = await openStore(t)
  await store.federations.add(federation, entry('a'))
  await store.federations.keepFailure('federation-1', { failure: 'x', at: now }, entry('f'))
  t.is(await store.federations.keepBundle('federation-2', next, entry('k')), 'unknown')
  t.is(
    await store.federations.keepBundle('federation-1', { ...next, basis: null }, entry('k')),
    'conflict',
  )
  t.is(
    await store.federations.keepBundle('federation-1', { ...next, bundleSha256: 'aa' }, entry('k')),
    'known',
  )
  t.is(await store.federations.keepBundle('federation-1', next, entry('k')), 'done')
  t.like(await store.federations.find('other.example'), {
    bundle: next.bundle,
    bundleSha256: 'bb',
    bundleSequence: 2,
    bundleRefreshSeconds: 90,
    bundleKeptAt: now + 1,
    failure: null,
    failedAt: null,
  })
  t.is(await logSize(store), 3)
})

test('a failure is kept and logged when it is another than before', async t => {
  const store = await openStore(t)
  await store.federations.add(web, entry('a'))
  const keep = async (failure: string | null): Promise<string> =>
    await store.federations.keepFailure('federation-2', { failure, at: now }, entry('f'))
  t.is(await keep(null), 'known')
  t.is(await keep('outbound-slow'), 'done')
  t.like(await store.federations.find('a.example'), { failure: 'outbound-slow', failedAt: now })
  t.is(await keep('outbound-slow'), 'known')
  t.is(await keep('outbound-identity'), 'done')
  t.is(await keep(null), 'done')
  t.like(await store.federations.find('a.example'), { failure: null, failedAt: null })
  t.is(
    await store.federations.keepFailure('gone', { failure: 'x', at: now }, entry('f')),
    'unknown',
  )
  t.is(await logSize(store), 4)
})

test('of a hundred who bring the next bundle at once one counts', async t => {
  const store = await openStore(t)
  await store.federations.add(federation, entry('a'))
  const answers = await contend(
    async n =>
      await store.federations.keepBundle(
        'federation-1',
        { ...next, bundleSha256: `b${n}` },
        entry('k'),
      ),
  )
  t.deepEqual(tally(answers), { done: 1, conflict: 99 })
  t.is(await logSize(store), 2)
})
