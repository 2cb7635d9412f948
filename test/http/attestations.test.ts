import test from 'ava'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { parseEnvelope } from '../../src/core/formats/envelope.ts'
import { tpm2Format } from '../../src/core/formats/tpm2/format.ts'
import { testIssuer } from '../support/test-service.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, proofOf, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  enrollHost,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'

async function readEar(api: TestApi, caller: TestCaller, path: string): Promise<TestAnswer> {
  const proof = await proofOf(api, caller.key, { method: 'GET', path, token: caller.token })
  const headers = [
    ['Authorization', `DPoP ${caller.token}`],
    ['DPoP', proof],
    ['Accept', 'application/eat+jwt'],
  ] as const
  return await api.send({ method: 'GET', path, headers })
}

test('a host’s verdict is read as JSON, and as an EAR that the published keys verify', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const path = `/v1/hosts/${host.id}/attestation-result`
  const { json } = await call(api, operator, 'GET', path)
  t.like(json, { hostId: host.id, format: 'tpm2' })
  t.deepEqual(json['verdict'], host.enrolled.json['attestationResult'])

  const ear = await readEar(api, operator, path)
  t.is(ear.type, 'application/eat+jwt')
  t.is(ear.headers['vary'], 'Accept')
  t.is(ear.text, String(host.enrolled.json['ear']))
  const { json: keys } = await api.send({ method: 'GET', path: '/oauth/jwks' })
  const verified = await jwtVerify(ear.text, createLocalJWKSet(keys as unknown as JSONWebKeySet), {
    issuer: testIssuer,
    subject: host.clientId,
    typ: 'eat+jwt',
    currentDate: new Date(api.clock.now()),
  })
  t.is(verified.payload['eat_profile'], 'tag:ietf.org,2026:rats/ear#03')
  const { tpm2 } = verified.payload['submods'] as { tpm2: Record<string, unknown> }
  t.is(tpm2['ear_status'], 'affirming')
})

test('each attestation is kept with its evidence, and credentials and log refer to it', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const first = await enrollHost(api, manufacturer)
  const again = await enrollHost(api, manufacturer, { tpm: first.tpm })
  t.is(again.id, first.id)
  const { json } = await call(api, operator, 'GET', `/v1/hosts/${first.id}/attestations`)
  const kept = json['attestations'] as { id: string; status: string; evidenceSha256: string }[]
  t.is(kept.length, 2)
  t.deepEqual(
    kept.map(one => one.status),
    ['affirming', 'affirming'],
  )
  const host = await api.service.store.hosts.find(first.id)
  t.is(host?.attestationId, kept[0]?.id)
  t.is(host?.evidenceSha256, kept[0]?.evidenceSha256)
  const record = await api.service.store.attestations.find(kept[0]?.id ?? '')
  t.notThrows(() => parseEnvelope(tpm2Format, record?.evidence ?? new Uint8Array()))

  const lines = await verifyTestLog(api.service)
  const enrolled = lines.filter(line => line.type === 'host.enrolled').at(-1)
  t.like(enrolled?.detail, {
    attestation: kept[0]?.id,
    evidence: kept[0]?.evidenceSha256,
    formerly: kept[1]?.id,
    endorsed: 'certificate',
    reboots: 0,
  })
  for (const type of ['certificate.intended', 'token.issued']) {
    const line = lines.filter(one => one.type === type && one.detail['attestation'] !== undefined)
    t.is(line.at(-1)?.detail['attestation'], kept[0]?.id, type)
  }
})

test('the evidence of a refused enrolment is kept for a time, with the check that failed', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge, { nonce: new Uint8Array(32) })
  const refused = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  t.is(refused.status, 403)
  const { json } = await call(api, operator, 'GET', '/v1/attestations')
  const [kept] = json['attestations'] as { id: string; hostId: string | null; status: string }[]
  t.like(kept, { hostId: null, status: 'contraindicated' })
  const one = await call(api, operator, 'GET', `/v1/attestations/${kept?.id}`)
  t.like(one.json['verdict'], { rule: String(refused.json['code']), accepted: false })
  const line = (await verifyTestLog(api.service)).find(entry => entry.type === 'enrollment.refused')
  t.is(line?.detail['attestation'], kept?.id)
  const { keepRefusedSeconds } = api.service.settings.attestation
  await api.service.store.sweep(api.clock.now() + keepRefusedSeconds * 1000 + 1)
  t.is((await call(api, operator, 'GET', `/v1/attestations/${kept?.id}`)).status, 404)
})

test('an attestation or host that is not there is told so', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const get = async (path: string): Promise<unknown> =>
    (await call(api, operator, 'GET', path)).json['code']
  t.is(await get('/v1/hosts/nobody/attestation-result'), 'host-unknown')
  t.is(await get('/v1/hosts/nobody/attestations'), 'host-unknown')
  t.is(await get('/v1/attestations/nothing'), 'attestation-unknown')
})

test('a host reads nobody’s verdicts', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const path = `/v1/hosts/${host.id}/attestation-result`
  t.like((await call(api, host, 'GET', path)).json, { code: 'token-scope' })
})

test('a large answer is read of a host that is awaited, and of nobody else', async t => {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const large = { ...(body as object), surprise: 'x'.repeat(1_000_000) }
  const path = `/v1/enrollments/${challenge.id}/evidence`
  t.like((await postJson(api, '/v1/enrollments/nobody/evidence', large)).json, {
    code: 'enrollment-unknown',
  })
  t.like((await postJson(api, path, large)).json, { code: 'request-malformed' })
  t.is((await postJson(api, path, body)).status, 201)
  t.like((await postJson(api, path, large)).json, { code: 'body-too-large' })
  t.like((await postJson(api, path, body)).json, { code: 'challenge-used' })
})
