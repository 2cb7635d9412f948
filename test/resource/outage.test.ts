import test from 'ava'
import { setUp } from './fixtures.ts'

const keysMaxAgeSeconds = 60
const afterPauseMs = 11_000

test('keys grow old: then the issuer is needed, also while it is not asked again', async t => {
  const { verifier, caller, tokenFor, state, clock } = setUp({ keysMaxAgeSeconds, status: 'off' })
  const verify = async (): Promise<unknown> => await verifier.verify(caller.request(tokenFor()))
  await t.notThrowsAsync(verify())
  state.isDown = true
  clock.now += keysMaxAgeSeconds * 1000
  const before = state.fetched.length
  for (let request = 0; request < 3; request += 1)
    await t.throwsAsync(verify(), { code: 'issuer-unreachable' })
  t.is(state.fetched.length, before + 1)
  clock.now += afterPauseMs
  await t.throwsAsync(verify(), { code: 'issuer-unreachable' })
  t.is(state.fetched.length, before + 2)
  state.isDown = false
  await t.throwsAsync(verify(), { code: 'issuer-unreachable' })
  clock.now += afterPauseMs
  await t.notThrowsAsync(verify())
})

test('what refused old keys is said again during the pause', async t => {
  const { verifier, caller, tokenFor, state, clock } = setUp({ keysMaxAgeSeconds, status: 'off' })
  await t.notThrowsAsync(verifier.verify(caller.request(tokenFor())))
  state.documents['https://assay.example/oauth/jwks'] = '{}'
  clock.now += keysMaxAgeSeconds * 1000
  for (let request = 0; request < 3; request += 1)
    await t.throwsAsync(verifier.verify(caller.request(tokenFor())), { code: 'issuer-answer' })
})

test('keys that are not old serve on while the issuer is not asked again', async t => {
  const { verifier, caller, tokenFor, state, clock } = setUp({ keysMaxAgeSeconds, status: 'off' })
  await verifier.verify(caller.request(tokenFor()))
  const good = tokenFor()
  state.kid = 'nobody'
  const forged = tokenFor()
  state.isDown = true
  clock.now += afterPauseMs
  await t.throwsAsync(verifier.verify(caller.request(forged)), { code: 'issuer-unreachable' })
  const before = state.fetched.length
  for (let request = 0; request < 3; request += 1) {
    await t.throwsAsync(verifier.verify(caller.request(forged)), { code: 'token-unknown-key' })
    await t.notThrowsAsync(verifier.verify(caller.request(good)))
  }
  t.is(state.fetched.length, before)
})

test('a token that an old list knows as revoked stays out where no list lets others pass', async t => {
  const { verifier, caller, tokenFor, state, clock, listUri } = setUp({ status: 'when-available' })
  const at = (idx: number) =>
    caller.request(tokenFor({ status: { status_list: { idx, uri: listUri } } }))
  state.revoked.push(5)
  await t.throwsAsync(verifier.verify(at(5)), { code: 'token-revoked' })
  state.isDown = true
  clock.now += 60_000
  for (let request = 0; request < 3; request += 1) {
    const fetched = state.fetched.length
    await t.throwsAsync(verifier.verify(at(5)), { code: 'token-revoked' })
    await t.notThrowsAsync(verifier.verify(at(6)))
    t.is(state.fetched.length, fetched + 2)
  }
})

test('without a fresh list the required status lets in neither the revoked nor the others', async t => {
  const { verifier, caller, tokenFor, state, clock, listUri } = setUp()
  const at = (idx: number) =>
    caller.request(tokenFor({ status: { status_list: { idx, uri: listUri } } }))
  state.revoked.push(5)
  await t.throwsAsync(verifier.verify(at(5)), { code: 'token-revoked' })
  await t.notThrowsAsync(verifier.verify(at(6)))
  state.isDown = true
  clock.now += 60_000
  for (const idx of [5, 6])
    await t.throwsAsync(verifier.verify(at(idx)), { code: 'status-unknown' })
})
