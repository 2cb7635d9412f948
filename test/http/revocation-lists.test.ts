import test from 'ava'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { certificateStatus, response } from '../core/x509/revocation-fixtures.ts'
import { call, createOperator } from '../support/test-caller.ts'
import {
  askForChallenge,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'
import type { PublishedList } from '../support/test-lists.ts'
import { add, begin, kept, published, type Scene } from './revocation-list-stage.ts'

const day = 86_400_000

async function addBoth(scene: Scene, parts: Partial<PublishedList> = {}): Promise<void> {
  const { issuer, root } = scene.manufacturer
  for (const authority of [issuer, root]) await add(scene, published(scene, parts, authority))
}

/** The code with which the scene's TPM is refused a challenge, or its status. */
async function challenge({ api, tpm }: Scene): Promise<string> {
  const answer = await postJson(api, '/v1/enrollments', enrollmentBody(tpm))
  return typeof answer.json['code'] === 'string' ? answer.json['code'] : String(answer.status)
}

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
