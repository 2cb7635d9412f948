import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import * as der from '../../src/core/der/writer.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import type { Settings } from '../../src/services/service.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedAuthority } from '../../swtpm/emulated/certificate.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import { certificateStatus, response } from '../core/x509/revocation-fixtures.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  askForChallenge,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'
import { publishList, type PublishedList } from '../support/test-lists.ts'

const day = 86_400_000

interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
  readonly tpm: EmulatedTpm
}

/** A service on which root and intermediate of a manufacturer are in force. */
async function begin(
  t: ExecutionContext,
  endorsements: Partial<Settings['endorsements']> = {},
): Promise<Scene> {
  const base = {
    revocation: 'when-available',
    revocationByVendor: {},
    maxAgeSeconds: 30 * 86_400,
    expired: 'refuse',
  } as const
  const api = await startTestApi(t, { endorsements: { ...base, ...endorsements } })
  const operator = await createOperator(api)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const labels = { name: 'maker', vendor: manufacturer.vendor, assurance: 'emulated' }
  const certificates = [manufacturer.root, manufacturer.issuer].map(({ certificate }) => ({
    ...labels,
    certificate: encodeBase64url(certificate),
  }))
  const taken = await call(api, operator, 'POST', '/v1/anchors/import', { certificates })
  const rows = taken.json['certificates'] as { fingerprint: string }[]
  const fingerprints = rows.map(row => row.fingerprint)
  await call(api, operator, 'POST', '/v1/anchors/approve', { fingerprints })
  return { api, operator, manufacturer, tpm: new EmulatedTpm({ manufacturer }) }
}

async function add({ api, operator }: Scene, list: Uint8Array): Promise<TestAnswer> {
  const body = { list: encodeBase64url(list), source: 'http://ek.example/a.crl' }
  return await call(api, operator, 'POST', '/v1/revocation-lists', body)
}

function published(
  { api, manufacturer }: Scene,
  parts: Partial<PublishedList> = {},
  authority: EmulatedAuthority = manufacturer.issuer,
): Uint8Array {
  return publishList(authority, { now: api.clock.now(), ...parts })
}

async function addBoth(scene: Scene, parts: Partial<PublishedList> = {}): Promise<void> {
  const { issuer, root } = scene.manufacturer
  for (const authority of [issuer, root]) await add(scene, published(scene, parts, authority))
}

async function kept({ api, operator }: Scene): Promise<Record<string, unknown>[]> {
  const { json } = await call(api, operator, 'GET', '/v1/revocation-lists')
  return json['revocationLists'] as Record<string, unknown>[]
}

/** The code with which the scene's TPM is refused a challenge, or its status. */
async function challenge({ api, tpm }: Scene): Promise<string> {
  const answer = await postJson(api, '/v1/enrollments', enrollmentBody(tpm))
  return typeof answer.json['code'] === 'string' ? answer.json['code'] : String(answer.status)
}

test('a list of an authority in force is kept, shown without its bytes, and logged', async t => {
  const scene = await begin(t)
  const list = published(scene, { number: 7, revoked: [scene.manufacturer.issuer.certificate] })
  const added = await add(scene, list)
  t.is(added.status, 201, added.text)
  const expected = {
    kind: 'crl',
    issuer: `Emulated TPMs issuer ${scene.manufacturer.vendor}`,
    issuerFingerprint: parseCertificate(scene.manufacturer.issuer.certificate).fingerprint,
    scope: 'all',
    number: '7',
    revoked: 1,
    isStale: false,
    source: 'http://ek.example/a.crl',
  }
  t.like(added.json, expected)
  const [row] = await kept(scene)
  t.like(row, expected)
  t.false('bytes' in (row ?? {}))
  const log = await verifyTestLog(scene.api.service)
  t.like(log.at(-1), { type: 'revocation-list.added', subject: added.json['id'] })
})

test('E9 what an issuer revoked is refused, whatever the service asks for', async t => {
  const scene = await begin(t)
  t.is(await challenge(scene), '201')
  await add(scene, published(scene))
  t.is(await challenge(scene), '201')
  await add(scene, published(scene, { number: 2, revoked: [scene.tpm.endorsementCertificate] }))
  t.is(await challenge(scene), 'ek-revocation')
})

test('E9 a revoked intermediate takes the keys below it along', async t => {
  const scene = await begin(t)
  const { issuer, root } = scene.manufacturer
  await add(scene, published(scene, { revoked: [issuer.certificate] }, root))
  t.is(await challenge(scene), 'ek-revocation')
})

test('E9 a list that comes between challenge and answer counts', async t => {
  const scene = await begin(t)
  const { api, tpm } = scene
  const asked = await askForChallenge(api, tpm)
  await add(scene, published(scene, { revoked: [tpm.endorsementCertificate] }))
  const { body } = evidenceBody(tpm, asked)
  const answer = await postJson(api, `/v1/enrollments/${asked.id}/evidence`, body)
  t.is(answer.json['code'], 'ek-revocation', answer.text)
})

test('E9 where an answer is required nobody is let in without one, or with one that is too old', async t => {
  const scene = await begin(t, { revocation: 'required', maxAgeSeconds: 86_400 })
  t.is(await challenge(scene), 'ek-revocation-unavailable')
  await addBoth(scene, { holdsMs: 9 * day })
  t.is(await challenge(scene), '201')
  t.deepEqual(
    (await kept(scene)).map(row => row['isStale']),
    [false, false],
  )
  scene.api.clock.advance(day)
  // The operator's token has come to its end with the day.
  const later = { ...scene, operator: await createOperator(scene.api) }
  t.is(await challenge(later), 'ek-revocation-unavailable')
  t.deepEqual(
    (await kept(later)).map(row => row['isStale']),
    [true, true],
  )
  await addBoth(later, { number: 2, holdsMs: 9 * day })
  t.is(await challenge(later), '201')
})

test('E9 what is out of date by its own word clears nobody, and what it revokes stays revoked', async t => {
  const scene = await begin(t, { revocation: 'required' })
  await addBoth(scene, { holdsMs: -1_000 })
  t.is(await challenge(scene), 'ek-revocation-unavailable')
  const revoked = [scene.tpm.endorsementCertificate]
  const added = await add(scene, published(scene, { number: 2, holdsMs: -1_000, revoked }))
  t.true(added.json['isStale'])
  t.is(await challenge(scene), 'ek-revocation')
})

test('E9 switched off, nobody’s word is looked at, and the verdict says that', async t => {
  const scene = await begin(t, { revocation: 'off' })
  const { api, tpm } = scene
  await add(scene, published(scene, { revoked: [tpm.endorsementCertificate] }))
  const asked = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, asked)
  const answer = await postJson(api, `/v1/enrollments/${asked.id}/evidence`, body)
  t.is(answer.status, 201, answer.text)
  t.regex(answer.text, /not looked at, by configuration/)
})

test('E9 a simulation says which hosts the lists of today would cost their standing', async t => {
  const scene = await begin(t)
  const { api, operator, manufacturer, tpm } = scene
  const host = await enrollHost(api, manufacturer, { tpm })
  const { json } = await call(api, operator, 'GET', '/v1/policies')
  const path = `/v1/policies/${String(json['active'])}/simulate`
  const before = await call(api, operator, 'POST', path)
  t.deepEqual(before.json['changes'], [], before.text)
  await add(scene, published(scene, { revoked: [tpm.endorsementCertificate] }))
  const after = await call(api, operator, 'POST', path)
  t.like((after.json['changes'] as object[])[0], { host: host.id })
  t.regex(after.text, /ek-revocation/)
})

test('E9 a simulation does not hold against a host that today’s lists are younger than its Evidence', async t => {
  const scene = await begin(t, { revocation: 'required' })
  const { api, operator, manufacturer, tpm } = scene
  await addBoth(scene)
  await enrollHost(api, manufacturer, { tpm })
  api.clock.advance(60_000)
  await addBoth(scene, { number: 2, ageMs: 0 })
  const { json } = await call(api, operator, 'GET', '/v1/policies')
  const path = `/v1/policies/${String(json['active'])}/simulate`
  const simulated = await call(api, operator, 'POST', path)
  t.is(simulated.json['judged'], 1, simulated.text)
  t.deepEqual(simulated.json['changes'], [])
})

test('E9 whether an answer is required may be said by vendor', async t => {
  const mine = { 'id:00001014': 'required' } as const
  const scene = await begin(t, { revocationByVendor: mine })
  t.is(await challenge(scene), 'ek-revocation-unavailable')
  const others = { 'id:494E5443': 'required' } as const
  t.is(await challenge(await begin(t, { revocationByVendor: others })), '201')
  const off = await begin(t, { revocationByVendor: { 'id:00001014': 'off' } })
  await add(off, published(off, { revoked: [off.tpm.endorsementCertificate] }))
  t.is(await challenge(off), '201')
})

test('E9 what is known of revocation stands in the verdict', async t => {
  const scene = await begin(t)
  await add(scene, published(scene))
  const asked = await askForChallenge(scene.api, scene.tpm)
  const { body } = evidenceBody(scene.tpm, asked)
  const answer = await postJson(scene.api, `/v1/enrollments/${asked.id}/evidence`, body)
  t.is(answer.status, 201, answer.text)
  t.regex(answer.text, /good by crl; unavailable \(no list or response of the issuer\)/)
})

test('E9 the answer of a responder counts as a list does', async t => {
  const scene = await begin(t)
  const { issuer } = scene.manufacturer
  const certificate = parseCertificate(scene.tpm.endorsementCertificate)
  const now = scene.api.clock.now()
  const answered = (status: Uint8Array, thisUpdate: number): Uint8Array =>
    response(
      certificate,
      parts => ({
        ...parts,
        issuer: parseCertificate(issuer.certificate),
        status,
        thisUpdate,
        nextUpdate: now + day,
      }),
      issuer,
    )
  const good = await add(scene, answered(certificateStatus.good, now - 2_000))
  t.like(good.json, { kind: 'ocsp', number: '0', revoked: 0, isStale: false }, good.text)
  t.is(await challenge(scene), '201')
  const revoked = await add(scene, answered(certificateStatus.revoked, now - 1_000))
  t.like(revoked.json, { kind: 'ocsp', revoked: 1 }, revoked.text)
  t.is(await challenge(scene), 'ek-revocation')
  t.is((await kept(scene)).length, 1)
  const older = await add(scene, answered(certificateStatus.good, now - 2_000))
  t.is(older.json['code'], 'revocation-list-older')
})

test('the newest list of an issuer is kept; an older one is refused, the same one is the same', async t => {
  const scene = await begin(t)
  const list = published(scene, { number: 300 })
  const first = await add(scene, list)
  scene.api.clock.advance(1_000)
  t.deepEqual((await add(scene, list)).json, first.json)
  const older = await add(scene, published(scene, { number: 299 }))
  t.is(older.status, 409)
  t.is(older.json['code'], 'revocation-list-older')
  t.is((await kept(scene)).length, 1)
  const log = await verifyTestLog(scene.api.service)
  t.is(log.filter(({ type }) => type === 'revocation-list.added').length, 1)
})

const stranger = createEmulatedManufacturer(Date.now(), 'id:53544D20')

const refusals: readonly (readonly [string, (scene: Scene) => Uint8Array, string])[] = [
  [
    'of an authority that nobody admitted',
    scene => published(scene, {}, stranger.issuer),
    'revocation-list-issuer',
  ],
  [
    'that another key signed',
    scene => published(scene, { signer: stranger.issuer }),
    'revocation-list-issuer',
  ],
  ['from the future', scene => published(scene, { ageMs: -60_000 }), 'revocation-list-future'],
  ['that is cut', scene => published(scene).subarray(0, -1), 'revocation-list-malformed'],
  [
    'with more behind it',
    scene => Buffer.concat([published(scene), Buffer.of(0)]),
    'revocation-list-malformed',
  ],
  [
    'that is a certificate',
    scene => scene.manufacturer.root.certificate,
    'revocation-list-malformed',
  ],
  ['of one byte', () => Uint8Array.of(0x30), 'revocation-list-malformed'],
  [
    'of a responder that says nothing',
    () => der.sequence(der.tlv(0x0a, Uint8Array.of(1))),
    'revocation-list-malformed',
  ],
]

for (const [what, list, code] of refusals) {
  test(`refuses a list ${what} with ${code}`, async t => {
    const scene = await begin(t)
    const answer = await add(scene, list(scene))
    t.is(answer.json['code'], code, answer.text)
    t.is(answer.status, 400)
    t.deepEqual(await kept(scene), [])
  })
}

test('a list of a retired authority is not taken in', async t => {
  const scene = await begin(t)
  const { api, operator, manufacturer } = scene
  const { fingerprint } = parseCertificate(manufacturer.issuer.certificate)
  await call(api, operator, 'POST', `/v1/anchors/${fingerprint}/retire`, { reason: 'test' })
  t.is((await add(scene, published(scene))).json['code'], 'revocation-list-issuer')
})

test('a list larger than any that is kept is refused before it is read', async t => {
  const answer = await add(await begin(t), new Uint8Array(1024 * 1024 + 1024))
  t.is(answer.json['code'], 'body-too-large')
  t.is(answer.status, 413)
})

test('who may only look sees the lists, and brings none', async t => {
  const scene = await begin(t)
  const auditor = { ...scene, operator: await createOperator(scene.api, 'auditor') }
  t.deepEqual(await kept(auditor), [])
  t.is((await add(auditor, published(scene))).json['code'], 'token-scope')
})
