import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import * as der from '../../src/core/der/writer.ts'
import { createOutbound } from '../../src/outbound/create-outbound.ts'
import type { Network } from '../../src/outbound/network.ts'
import type { Settings } from '../../src/services/service.ts'
import type { CertificateEdit } from '../../swtpm/emulated/certificate.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import { publish, type PublishingHost } from '../outbound/published.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { enrollmentBody, evidenceBody, postJson, readChallenge } from '../support/test-host.ts'
import { publishList } from '../support/test-lists.ts'

const limits = { hosts: ['ek.example'], timeoutSeconds: 20, maxBytes: 65_536 }

interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
}

/** A service that knows the root of a manufacturer alone, and fetches over a network, where there is one. */
async function begin(
  t: ExecutionContext,
  endorsements: Partial<Settings['endorsements']> = {},
): Promise<Scene> {
  const base = {
    revocation: 'when-available',
    revocationByVendor: {},
    maxAgeSeconds: 86_400,
    expired: 'refuse',
  } as const
  const api = await startTestApi(t, { endorsements: { ...base, ...endorsements } })
  const operator = await createOperator(api)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const labels = { name: 'maker', vendor: manufacturer.vendor, assurance: 'emulated' }
  const certificate = encodeBase64url(manufacturer.root.certificate)
  await call(api, operator, 'POST', '/v1/anchors', { ...labels, certificate })
  return { api, operator, manufacturer }
}

function fetchOver({ api }: Scene, network: Network): void {
  Object.assign(api.service, { outbound: createOutbound(limits, network, api.clock) })
}

const uri = (text: string): Uint8Array => der.implicitPrimitive(6, Buffer.from(text))

/** AuthorityInfoAccess and CRLDistributionPoints. RFC 5280 §4.2.2.1, §4.2.1.13. */
function naming(issuers: readonly string[], lists: readonly string[]): CertificateEdit {
  const method = der.objectIdentifier('1.3.6.1.5.5.7.48.2')
  const access = issuers.map(text => der.sequence(method, uri(text)))
  const points = lists.map(text =>
    der.sequence(der.contextConstructed(0, der.contextConstructed(0, uri(text)))),
  )
  const extensions = [
    ...(access.length === 0
      ? []
      : [{ oid: '1.3.6.1.5.5.7.1.1', critical: false, value: der.sequence(...access) }]),
    ...(points.length === 0
      ? []
      : [{ oid: '2.5.29.31', critical: false, value: der.sequence(...points) }]),
  ]
  return parts => ({ ...parts, extensions: [...parts.extensions, ...extensions] })
}

function makeTpm(
  { manufacturer }: Scene,
  issuers: readonly string[],
  lists: readonly string[] = [],
): EmulatedTpm {
  return new EmulatedTpm({ manufacturer, editCertificate: naming(issuers, lists) })
}

/** The first message of a host that has no intermediate certificate at hand. */
async function ask({ api }: Scene, tpm: EmulatedTpm): Promise<TestAnswer> {
  const body = enrollmentBody(tpm)
  return await postJson(api, '/v1/enrollments', {
    ...body,
    endorsementKey: { ...(body['endorsementKey'] as object), chain: [] },
  })
}

function codeOf({ json, status }: TestAnswer): string {
  return typeof json['code'] === 'string' ? json['code'] : String(status)
}

/** What the last entry on an enrolment says was fetched. */
async function outcomes({ api }: Scene): Promise<string[]> {
  const log = await verifyTestLog(api.service)
  const entry = log.findLast(({ type }) => type.startsWith('enrollment.'))
  const fetched = (entry?.detail['fetched'] ?? []) as { outcome: string }[]
  return fetched.map(({ outcome }) => outcome)
}

const aia = 'http://ek.example/issuer.cer'

async function publishIssuer(t: ExecutionContext, scene: Scene): Promise<PublishingHost> {
  const host = await publish(t, { '/issuer.cer': scene.manufacturer.issuer.certificate })
  fetchOver(scene, host.network)
  return host
}

test('a certificate that is missing in the path is fetched where its name is on the list, and stands in the log', async t => {
  const scene = await begin(t)
  const host = await publishIssuer(t, scene)
  const tpm = makeTpm(scene, [aia])
  const answer = await ask(scene, tpm)
  t.is(answer.status, 201, answer.text)
  t.deepEqual(await outcomes(scene), ['fetched'])
  t.deepEqual(host.asked, ['ek.example /issuer.cer'])
  const [entry] = (await verifyTestLog(scene.api.service)).slice(-1)
  t.deepEqual(entry?.detail['fetched'], [{ host: 'ek.example', outcome: 'fetched' }])
  // The second half asks nobody: what was fetched is kept with the challenge.
  Object.assign(scene.api.service, { outbound: undefined })
  const challenge = readChallenge(answer)
  const path = `/v1/enrollments/${challenge.id}/evidence`
  const enrolled = await postJson(scene.api, path, evidenceBody(tpm, challenge).body)
  t.is(enrolled.status, 201, enrolled.text)
})

test('nothing is fetched unless it is configured, nor what is there already', async t => {
  const scene = await begin(t)
  const host = await publish(t, { '/issuer.cer': scene.manufacturer.issuer.certificate })
  t.is(codeOf(await ask(scene, makeTpm(scene, [aia]))), 'path-issuer')
  fetchOver(scene, host.network)
  const whole = await postJson(scene.api, '/v1/enrollments', enrollmentBody(makeTpm(scene, [aia])))
  t.is(whole.status, 201, whole.text)
  const none = await ask(scene, makeTpm(scene, []))
  t.is(codeOf(none), 'path-issuer')
  t.deepEqual(host.asked, [])
  t.deepEqual(await outcomes(scene), [])
})

test('E10 what was fetched is a hint: a certificate of the right name and the wrong key leads nowhere', async t => {
  const scene = await begin(t)
  const stranger = createEmulatedManufacturer(scene.api.clock.now())
  const host = await publish(t, { '/issuer.cer': stranger.issuer.certificate })
  fetchOver(scene, host.network)
  const answer = await ask(scene, makeTpm(scene, [aia]))
  t.is(codeOf(answer), 'path-issuer', answer.text)
  t.deepEqual(await outcomes(scene), ['fetched'])
})

const refusals: readonly (readonly [string, string, string])[] = [
  ['http://169.254.169.254/latest/meta-data', 'outbound-location', 'the cloud’s metadata'],
  ['file:///etc/passwd', 'outbound-location', 'a file'],
  ['http://other.example/issuer.cer', 'outbound-location', 'a host off the list'],
  ['http://ek.example/huge', 'outbound-too-large', 'a huge body'],
  ['http://ek.example/slow', 'outbound-slow', 'a slow body'],
  ['http://ek.example/away', 'outbound-redirect', 'a redirection off the list'],
  ['http://ek.example/page', 'certificate-malformed', 'something that is no certificate'],
  ['http://ek.example/absent', 'outbound-answer', 'nothing'],
]

for (const [location, outcome, what] of refusals) {
  test(`E10 a certificate that names ${what} as its issuer’s is refused as if it named none`, async t => {
    const scene = await begin(t)
    const host = await publish(t, {
      '/huge': (_, response) =>
        response.writeHead(200, { 'Content-Length': 10 * 1024 ** 3 }).flushHeaders(),
      '/slow': (_, response) => response.write('0'),
      '/away': (_, response) =>
        response.writeHead(302, { Location: 'http://169.254.169.254/' }).end(),
      '/page': Buffer.from('<html>Sign in</html>'),
    })
    fetchOver(scene, host.network)
    const answer = await ask(scene, makeTpm(scene, [location]))
    t.is(codeOf(answer), 'path-issuer', answer.text)
    t.deepEqual(await outcomes(scene), [outcome])
    t.true(host.resolved.every(name => name === 'ek.example'))
  })
}

test('E10 so many locations are asked for one certificate and no more', async t => {
  const scene = await begin(t)
  const host = await publish(t, {})
  fetchOver(scene, host.network)
  const many = Array.from({ length: 20 }, (_, at) => `http://ek.example/${at}`)
  const long = `http://ek.example/${'x'.repeat(300)}`
  const answer = await ask(scene, makeTpm(scene, [long, 'http://ek.example/\u0007', ...many]))
  t.is(codeOf(answer), 'path-issuer', answer.text)
  t.deepEqual(
    host.asked,
    ['0', '1', '2', '3'].map(path => `ek.example /${path}`),
  )
})

test('a certificate that cannot be read names nobody', async t => {
  const scene = await begin(t)
  const host = await publishIssuer(t, scene)
  const tpm = makeTpm(scene, [aia])
  const body = enrollmentBody(tpm)
  const key = body['endorsementKey'] as object
  const certificate = encodeBase64url(tpm.endorsementCertificate.subarray(0, -1))
  const answer = await postJson(scene.api, '/v1/enrollments', {
    ...body,
    endorsementKey: { ...key, certificate },
  })
  t.is(codeOf(answer), 'ek-certificate-malformed')
  t.deepEqual(host.asked, [])
})

const crl = 'http://ek.example/issuer.crl'

async function publishLists(
  t: ExecutionContext,
  scene: Scene,
  list: () => Uint8Array,
): Promise<PublishingHost> {
  const host = await publish(t, {
    '/issuer.cer': scene.manufacturer.issuer.certificate,
    '/issuer.crl': (_, response) => response.end(list()),
  })
  fetchOver(scene, host.network)
  return host
}

test('a list that a certificate names is fetched, kept, and counts at once', async t => {
  const scene = await begin(t)
  const { api, operator, manufacturer } = scene
  const tpm = makeTpm(scene, [aia], [crl])
  const revoked = [tpm.endorsementCertificate]
  const host = await publishLists(t, scene, () =>
    publishList(manufacturer.issuer, { now: api.clock.now(), revoked }),
  )
  const answer = await ask(scene, tpm)
  t.is(codeOf(answer), 'ek-revocation', answer.text)
  t.deepEqual(await outcomes(scene), ['fetched', 'fetched'])
  t.deepEqual(host.asked, ['ek.example /issuer.cer', 'ek.example /issuer.crl'])
  const { json } = await call(api, operator, 'GET', '/v1/revocation-lists')
  t.like(json['revocationLists'], [{ source: crl, addedBy: 'service', revoked: 1 }])
})

test('a list that is too old is fetched anew, and one that is fresh is not', async t => {
  const scene = await begin(t, { revocation: 'required' })
  const { api, operator, manufacturer } = scene
  let number = 1
  const host = await publishLists(t, scene, () =>
    publishList(manufacturer.issuer, { now: api.clock.now(), number: number++ }),
  )
  const addRootList = async (caller: TestCaller): Promise<void> => {
    const list = publishList(manufacturer.root, { now: api.clock.now(), number: 7 })
    await call(api, caller, 'POST', '/v1/revocation-lists', { list: encodeBase64url(list) })
  }
  const tpm = makeTpm(scene, [aia], [crl])
  t.is(codeOf(await ask(scene, tpm)), 'ek-revocation-unavailable')
  await addRootList(operator)
  t.is(codeOf(await ask(scene, tpm)), '201')
  t.is(codeOf(await ask(scene, tpm)), '201')
  const lists = (): number => host.asked.filter(line => line.endsWith('.crl')).length
  t.is(lists(), 1)
  api.clock.advance(2 * 86_400_000)
  await addRootList(await createOperator(api))
  t.is(codeOf(await ask(scene, tpm)), '201')
  t.is(lists(), 2)
  t.deepEqual(await outcomes(scene), ['fetched', 'fetched'])
})

test('a list that its issuer did not sign, or none, leaves everything as it was', async t => {
  const scene = await begin(t)
  const { api, manufacturer } = scene
  const { root, issuer } = manufacturer
  await publishLists(t, scene, () => publishList(issuer, { now: api.clock.now(), signer: root }))
  const tpm = makeTpm(scene, [aia], ['file:///etc/passwd', crl, 'http://ek.example/absent'])
  t.is(codeOf(await ask(scene, tpm)), '201')
  t.deepEqual(await outcomes(scene), [
    'fetched',
    'outbound-location',
    'revocation-list-issuer',
    'outbound-answer',
  ])
  t.deepEqual(await api.service.store.revocationLists.list(), [])
})

for (const switched of [
  { revocation: 'off' },
  { revocation: 'required', revocationByVendor: { 'id:00001014': 'off' } },
] as const) {
  test(`where revocation is switched off no list is fetched: ${JSON.stringify(switched)}`, async t => {
    const scene = await begin(t, switched)
    const host = await publishLists(t, scene, () => new Uint8Array())
    t.is(codeOf(await ask(scene, makeTpm(scene, [aia], [crl]))), '201')
    t.deepEqual(host.asked, ['ek.example /issuer.cer'])
  })
}
