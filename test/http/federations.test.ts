import test, { type ExecutionContext } from 'ava'
import { refreshDueFederations, refreshFederation } from '../../src/services/federation-refresh.ts'
import type { BundleEndpoint, BundleFetch } from '../../src/ports/bundle-fetch.ts'
import { OutboundError } from '../../src/ports/outbound-error.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { createTestAuthority } from '../support/test-authority.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { testTrustDomain } from '../support/test-service.ts'

const { chain } = await createTestAuthority('other.example', new Date())
const url = 'https://other.example/bundle.json'
const web = { trustDomain: 'other.example', url, profile: 'https_web' } as const
const spiffe = {
  ...web,
  profile: 'https_spiffe',
  endpointId: 'spiffe://other.example/bundles',
} as const

function bundleText(sequence: number | undefined, hint = 60, roots = [chain[1]]): string {
  const keys = roots.map(root => ({
    use: 'x509-svid',
    kty: 'EC',
    x5c: [Buffer.from(root).toString('base64')],
  }))
  return JSON.stringify({
    keys,
    ...(sequence === undefined ? {} : { spiffe_sequence: sequence }),
    spiffe_refresh_hint: hint,
  })
}

/** What another trust domain serves at its endpoint; who is asked under which authentication is kept. */
interface Elsewhere extends BundleFetch {
  answer: string | OutboundError
  readonly asked: BundleEndpoint[]
}

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly elsewhere: Elsewhere
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const elsewhere: Elsewhere = {
    answer: bundleText(3),
    asked: [],
    isAllowed: text => text.startsWith('https://other.example/'),
    fetch: async endpoint => {
      elsewhere.asked.push(endpoint)
      if (typeof elsewhere.answer === 'string') return await Promise.resolve(elsewhere.answer)
      throw elsewhere.answer
    },
  }
  Object.assign(api.service, { bundleFetch: elsewhere })
  return { api, operator: await createOperator(api), elsewhere }
}

async function ask(
  { api, operator }: Pick<Stage, 'api' | 'operator'>,
  path: string,
  body: object = {},
): Promise<TestAnswer> {
  return await call(api, operator, 'POST', path, body)
}

const add = async (stage: Stage, body: object = web): Promise<TestAnswer> =>
  await ask(stage, '/v1/federations', body)
const refresh = async ({ api, operator }: Stage): Promise<TestAnswer> =>
  await call(api, operator, 'POST', '/v1/federations/other.example/refresh')
const published = async ({ api }: Stage, name = 'other.example'): Promise<TestAnswer> =>
  await api.send({ method: 'GET', path: `/v1/bundles/${name}` })

async function acts({ api }: Stage): Promise<string[]> {
  const lines = await verifyTestLog(api.service)
  return lines.map(({ type }) => type).filter(type => type.startsWith('federation.'))
}

test('a trust domain is added, followed, shown, published as it was received, and removed', async t => {
  const stage = await begin(t)
  const added = await add(stage)
  t.is(added.status, 201)
  t.like(added.json, { trustDomain: 'other.example', bundleSha256: null, failure: null })
  t.is((await published(stage)).json['code'], 'federation-bundle-absent')
  const followed = await refresh(stage)
  t.like(followed.json, { isNew: true, bundleSequence: 3, bundleRefreshSeconds: 60 })
  t.deepEqual(followed.json['authorities'], { x509: 1, jwt: 0, wit: 0 })
  t.deepEqual(stage.elsewhere.asked, [{ url, svid: undefined }])
  t.is((await published(stage)).text, bundleText(3))
  t.like((await refresh(stage)).json, { isNew: false })
  const { api, operator } = stage
  const listed = await call(api, operator, 'GET', '/v1/federations')
  t.like(listed.json, { federations: [{ trustDomain: 'other.example' }] })
  const shown = await call(api, operator, 'GET', '/v1/federations/other.example')
  t.is(shown.json['id'], undefined)
  const removed = await ask(stage, '/v1/federations/other.example/remove', { reason: 'merged' })
  t.is(removed.status, 200)
  t.is((await published(stage)).status, 404)
  t.deepEqual(await acts(stage), ['federation.added', 'federation.followed', 'federation.removed'])
})

test('bundles are given each under its own name, and are never merged', async t => {
  const stage = await begin(t)
  await add(stage)
  await refresh(stage)
  const map = await stage.api.send({ method: 'GET', path: '/v1/bundles' })
  const domains = map.json['trust_domains'] as Record<string, { keys: { x5c?: string[] }[] }>
  t.deepEqual(Object.keys(domains), [testTrustDomain, 'other.example'])
  const rootsOf = (name: string): string[] =>
    (domains[name]?.keys ?? []).flatMap(({ x5c = [] }) => x5c)
  t.deepEqual(rootsOf('other.example'), [Buffer.from(chain[1]).toString('base64')])
  t.false(rootsOf(testTrustDomain).some(root => rootsOf('other.example').includes(root)))
  const own = await stage.api.send({ method: 'GET', path: '/v1/bundle' })
  t.is((await published(stage, testTrustDomain)).text, own.text)
  t.is((await published(stage, 'nobody.example')).status, 404)
  t.is((await published(stage, 'Not_A_Domain!')).json['code'], 'not-found')
})

test('what is refused keeps the bundle before, and is in the log once', async t => {
  const stage = await begin(t)
  await add(stage, { ...web, bundle: bundleText(3) })
  for (const [answer, code] of [
    [bundleText(2), 'bundle-older'],
    [bundleText(3, 61), 'bundle-differs'],
    ['{"keys":[],"keys":[]}', 'bundle-malformed'],
    [new OutboundError('outbound-identity'), 'outbound-identity'],
    [new OutboundError('outbound-identity'), 'outbound-identity'],
  ] as const) {
    stage.elsewhere.answer = answer
    const refused = await refresh(stage)
    t.is(refused.status, 502)
    t.like(refused.json, { code: 'federation-not-followed' })
    t.true(String(refused.json['found']).startsWith(code), String(refused.json['found']))
    const { json } = await call(stage.api, stage.operator, 'GET', '/v1/federations/other.example')
    t.is(json['failure'], code)
    t.is((await published(stage)).text, bundleText(3))
  }
  stage.elsewhere.answer = bundleText(3)
  t.is((await refresh(stage)).status, 200)
  stage.elsewhere.answer = bundleText(4)
  t.like((await refresh(stage)).json, { isNew: true, failure: null })
  t.deepEqual(await acts(stage), [
    'federation.added',
    'federation.failed',
    'federation.failed',
    'federation.failed',
    'federation.failed',
    'federation.recovered',
    'federation.followed',
  ])
})

test('an empty bundle is kept and given on: nothing of that trust domain is to be believed', async t => {
  const stage = await begin(t)
  await add(stage, { ...web, bundle: bundleText(3) })
  stage.elsewhere.answer = bundleText(4, 60, [])
  const followed = await refresh(stage)
  t.deepEqual(followed.json['authorities'], { x509: 0, jwt: 0, wit: 0 })
  t.deepEqual((await published(stage)).json['keys'], [])
})

test('of bundles without number the one that was fetched last counts', async t => {
  const stage = await begin(t)
  await add(stage, { ...web, bundle: bundleText(undefined) })
  stage.elsewhere.answer = bundleText(undefined, 61)
  t.like((await refresh(stage)).json, { isNew: true })
  t.is((await published(stage)).text, bundleText(undefined, 61))
})

test('https_spiffe: the endpoint is held against the bundle that is kept, the first by hand', async t => {
  const stage = await begin(t)
  t.is((await add(stage, { ...spiffe, bundle: bundleText(2) })).status, 201)
  await refresh(stage)
  const later = await createTestAuthority('other.example', new Date())
  stage.elsewhere.answer = bundleText(4, 60, [later.chain[1]])
  await refresh(stage)
  await refresh(stage)
  const held = stage.elsewhere.asked.map(({ svid }) => ({
    id: svid?.id,
    trustDomain: svid?.authorities.trustDomain,
    sequence: svid?.authorities.bundle.sequence,
  }))
  const { endpointId: id, trustDomain } = spiffe
  t.deepEqual(held, [
    { id, trustDomain, sequence: 2 },
    { id, trustDomain, sequence: 3 },
    { id, trustDomain, sequence: 4 },
  ])
})

test('https_spiffe: an endpoint of a third trust domain is held against that one’s bundle', async t => {
  const stage = await begin(t)
  const hub = { ...spiffe, endpointId: 'spiffe://hub.example/bundles' }
  t.is((await add(stage, hub)).status, 201)
  const without = await refresh(stage)
  t.true(String(without.json['found']).startsWith('federation-endpoint-unknown'))
  t.deepEqual(stage.elsewhere.asked, [])
  await add(stage, { ...web, trustDomain: 'hub.example', bundle: bundleText(7) })
  t.is((await refresh(stage)).status, 200)
  t.like(stage.elsewhere.asked[0]?.svid?.authorities, {
    trustDomain: 'hub.example',
    bundle: { sequence: 7 },
  })
})

for (const [name, body, status, code] of [
  ['this trust domain itself', { ...web, trustDomain: testTrustDomain }, 409, 'federation-own'],
  ['a host off the list', { ...web, url: 'https://evil.example/' }, 400, 'outbound-location'],
  ['http', { ...web, url: 'http://other.example/' }, 400, 'request-malformed'],
  ['no trust domain', { ...web, trustDomain: 'Other.Example' }, 400, 'request-malformed'],
  ['an unknown profile', { ...web, profile: 'http' }, 400, 'request-malformed'],
  ['https_web with a SPIFFE ID', { ...spiffe, profile: 'https_web' }, 400, 'federation-parameters'],
  ['https_spiffe without one', { ...web, profile: 'https_spiffe' }, 400, 'federation-parameters'],
  ['https_spiffe without a bundle', spiffe, 400, 'federation-parameters'],
  ['a SPIFFE ID that is none', { ...spiffe, endpointId: 'spiffe://a' }, 400, 'spiffe-id-malformed'],
  ['a bundle that is none', { ...spiffe, bundle: '{}' }, 400, 'bundle-malformed'],
] as const)
  test(`refuses to follow ${name}`, async t => {
    const stage = await begin(t)
    t.like(await add(stage, body), { status, json: { code } })
    t.deepEqual(await acts(stage), [])
  })

test('a trust domain is followed once, and one that is not is not known', async t => {
  const stage = await begin(t)
  await add(stage)
  t.like(await add(stage), { status: 409, json: { code: 'federation-exists' } })
  const unknown = { status: 404, json: { code: 'federation-unknown' } }
  const { api, operator } = stage
  t.like(await call(api, operator, 'GET', '/v1/federations/x.example'), unknown)
  t.like(await call(api, operator, 'POST', '/v1/federations/x.example/refresh'), unknown)
  t.like(await ask(stage, '/v1/federations/x.example/remove', { reason: 'x' }), unknown)
})

test('where the configuration names no host, nothing is followed', async t => {
  const stage = await begin(t)
  await add(stage)
  Object.assign(stage.api.service, { bundleFetch: undefined })
  t.like(await add(stage), { status: 409, json: { code: 'federation-closed' } })
  t.true(String((await refresh(stage)).json['found']).startsWith('federation-closed'))
})

test('an auditor sees relationships and changes none; a relying party needs no rights for bundles', async t => {
  const stage = await begin(t)
  await add(stage)
  const auditor = { ...stage, operator: await createOperator(stage.api, 'auditor') }
  t.is((await call(stage.api, auditor.operator, 'GET', '/v1/federations')).status, 200)
  t.is((await add(auditor)).status, 403)
  t.is((await refresh(auditor)).status, 403)
})

test('each is asked when its own hint says so, at most twice a minute, and again only then when it failed', async t => {
  const stage = await begin(t)
  const { api, elsewhere } = stage
  const failures: string[] = []
  const round = async (seconds: number): Promise<number> => {
    api.clock.advance(seconds * 1_000)
    await refreshDueFederations(api.service, (_, { code }) => failures.push(code))
    return elsewhere.asked.length
  }
  await add(stage)
  t.is(await round(0), 1)
  t.is(await round(59), 1)
  elsewhere.answer = bundleText(4, 1)
  t.is(await round(1), 2)
  t.is(await round(29), 2)
  elsewhere.answer = new OutboundError('outbound-slow')
  t.is(await round(1), 3)
  t.deepEqual(failures, ['federation-not-followed'])
  t.is(await round(29), 3)
  elsewhere.answer = bundleText(5)
  t.is(await round(1), 4)
  t.is((await published(stage)).json['spiffe_sequence'], 5)
})

test('of a hundred refreshes at once one keeps the bundle; the others find it kept', async t => {
  const stage = await begin(t)
  await add(stage)
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async () => {
      return (await refreshFederation(stage.api.service, 'test', 'other.example')).isNew
    }),
  )
  t.is(outcomes.filter(Boolean).length, 1)
  t.deepEqual(await acts(stage), ['federation.added', 'federation.followed'])
})

test('a bundle that was fetched for a relationship that has ended since is not kept', async t => {
  const stage = await begin(t)
  await add(stage)
  const { elsewhere } = stage
  const fetch = elsewhere.fetch.bind(elsewhere)
  Object.assign(elsewhere, {
    fetch: async (endpoint: BundleEndpoint) => {
      await ask(stage, '/v1/federations/other.example/remove', { reason: 'x' })
      await add(stage)
      return await fetch(endpoint)
    },
  })
  t.like(await refresh(stage), { status: 409, json: { code: 'federation-superseded' } })
  t.is((await published(stage)).status, 404)
})
