import test, { type ExecutionContext } from 'ava'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { createVerifier, type ResourceVerifier } from '../../src/resource/verifier.ts'
import { announceSeconds, overlapSeconds } from '../../src/services/token-key-standing.ts'
import { startTestApi, verifyTestLog, type TestApi } from '../support/test-api.ts'
import {
  call,
  createOperator,
  fetchToken,
  postForm,
  proofOf,
  assertionOf,
  type TestCaller,
} from '../support/test-caller.ts'
import { testIssuer } from '../support/test-service.ts'

const keysPath = '/v1/token-keys'

interface ShownKey {
  readonly kid: string
  readonly state: string
}

async function listKeys(api: TestApi, caller: TestCaller): Promise<ShownKey[]> {
  const { json } = await call(api, caller, 'GET', keysPath)
  return json['keys'] as ShownKey[]
}

async function keySetOf(api: TestApi): Promise<JSONWebKeySet> {
  const { json } = await api.send({ method: 'GET', path: '/oauth/jwks' })
  return json as unknown as JSONWebKeySet
}

async function again(api: TestApi, caller: TestCaller): Promise<TestCaller> {
  return { ...caller, token: await fetchToken(api, caller.key) }
}

test('an administrator turns keys over, an auditor looks on, and the key set shows each with its thumbprint', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const auditor = await createOperator(api, 'auditor')
  const before = await call(api, operator, 'GET', keysPath)
  t.false(JSON.stringify(before.json).includes('key.pem'))
  const made = await call(api, operator, 'POST', keysPath, { reason: 'a plan' })
  t.is(made.status, 201)
  t.like(made.json, { state: 'announced', place: 'embedded', algorithm: 'ES256', reason: 'a plan' })
  t.deepEqual(
    (await listKeys(api, auditor)).map(({ state }) => state),
    ['signing', 'announced'],
  )
  t.is((await call(api, auditor, 'POST', keysPath, {})).status, 403)
  const { keys } = await keySetOf(api)
  t.deepEqual(
    keys.map(({ kid }) => kid),
    (await listKeys(api, operator)).map(({ kid }) => kid),
  )
  t.true(keys.every(key => key['d'] === undefined))
  t.like((await call(api, operator, 'POST', keysPath, {})).json, { code: 'token-key-conflict' })
  t.is((await call(api, operator, 'POST', keysPath, { force: true })).status, 400)
  const hastened = { force: true, reason: 'today' }
  t.like((await call(api, operator, 'POST', keysPath, hastened)).json, { state: 'signing' })
  const entries = (await verifyTestLog(api.service)).filter(({ type }) =>
    type.startsWith('token-key'),
  )
  t.deepEqual(
    entries.map(({ type }) => type),
    ['token-key.adopted', 'token-key.rotated', 'token-key.hastened'],
  )
  t.is(entries[1]?.actor, operator.clientId)
})

test('a token by a key that is out is refused at once, also one that was verified before', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const asker = await createOperator(api)
  t.is((await call(api, operator, 'GET', keysPath)).status, 200)
  const [leaked] = await listKeys(api, operator)
  t.like(await introspect(api, asker, operator.token), { active: true })
  const retire = `${keysPath}/${leaked?.kid}/retire`
  t.is((await call(api, operator, 'POST', retire, {})).status, 400)
  t.like((await call(api, operator, 'POST', retire, { reason: 'leaked' })).json, {
    state: 'retired',
  })
  for (const caller of [operator, asker]) {
    const refused = await call(api, caller, 'GET', keysPath)
    t.is(refused.status, 401)
    t.like(refused.json, { code: 'token-unknown-key' })
  }
  t.deepEqual(await introspect(api, asker, operator.token), { active: false })
  t.deepEqual((await keySetOf(api)).keys.map(({ kid }) => kid).includes(leaked?.kid), false)
  const renewed = await again(api, operator)
  t.deepEqual(
    (await listKeys(api, renewed)).map(({ state }) => state),
    ['retired', 'signing'],
  )
  t.like(await introspect(api, asker, renewed.token), { active: true })
  t.like((await call(api, renewed, 'POST', retire, { reason: 'x' })).json, {
    code: 'token-key-state',
  })
  const unknown = `${keysPath}/nobody/retire`
  t.is((await call(api, renewed, 'POST', unknown, { reason: 'x' })).status, 404)
})

async function introspect(api: TestApi, asker: TestCaller, token: string): Promise<object> {
  const form = { ...assertionOf(api, asker.key, asker.clientId), token }
  return (await postForm(api, '/oauth/introspect', form)).json
}

/** A relying party that fetches over the test's own connection, at the service's time. */
function createRelyingParty(api: TestApi): ResourceVerifier {
  return createVerifier({
    issuer: testIssuer,
    audience: testIssuer,
    status: 'off',
    now: () => api.clock.now(),
    fetchDocument: async url => {
      const { text } = await api.send({ method: 'GET', path: new URL(url).pathname })
      return text
    },
  })
}

/** A relying party of another make, which fetches the key set only as often as its answer allows. */
function createOther(api: TestApi): (token: string) => Promise<void> {
  let fetchedAt = -Infinity
  let keys = createLocalJWKSet({ keys: [] })
  return async token => {
    const now = api.clock.now()
    if (now - fetchedAt >= api.service.settings.keySetMaxAgeSeconds * 1000) {
      keys = createLocalJWKSet(await keySetOf(api))
      fetchedAt = now
    }
    const currentDate = new Date(now)
    await jwtVerify(token, keys, { issuer: testIssuer, audience: testIssuer, currentDate })
  }
}

async function requireTaken(
  t: ExecutionContext,
  api: TestApi,
  caller: TestCaller,
  parties: Parties,
): Promise<void> {
  const proven = { method: 'GET', path: keysPath, token: caller.token }
  const dpop = await proofOf(api, caller.key, proven)
  const headers = { authorization: `DPoP ${caller.token}`, dpop }
  const request = { method: 'GET', url: `${testIssuer}${keysPath}`, headers }
  await t.notThrowsAsync(parties.own.verify(request))
  await t.notThrowsAsync(parties.other(caller.token))
  t.is((await call(api, caller, 'GET', keysPath)).status, 200)
}

interface Parties {
  readonly own: ResourceVerifier
  readonly other: (token: string) => Promise<void>
}

test('relying parties live through a rotation and refuse no token', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { settings } = api.service
  const parties = { own: createRelyingParty(api), other: createOther(api) }
  const first = api.service.tokenKeys.current.kid
  await requireTaken(t, api, operator, parties)
  await call(api, operator, 'POST', keysPath, {})
  // In steps that are shorter than a token lives, from before the turn until the first key is over.
  const step = settings.tokenMaxLifetimeSeconds / 2
  let before: TestCaller = operator
  const seen = new Set<string>()
  for (let past = 0; past < announceSeconds(settings) + 4 * step; past += step) {
    api.clock.advance(step * 1000)
    await requireTaken(t, api, before, parties)
    before = await again(api, operator)
    await requireTaken(t, api, before, parties)
    seen.add(api.service.tokenKeys.current.kid)
  }
  t.is(seen.size, 2)
  api.clock.advance(overlapSeconds(settings) * 1000)
  t.false((await keySetOf(api)).keys.some(({ kid }) => kid === first))
  await requireTaken(t, api, await again(api, operator), parties)
})
