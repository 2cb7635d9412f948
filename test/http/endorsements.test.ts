import test from 'ava'
import { verifyDeclaredEndorsementKey } from '../../src/core/verifier/endorsement-key.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import { enrollmentBody, evidenceBody, postJson, readChallenge } from '../support/test-host.ts'

const declared = {
  ...writtenPolicy,
  assurance: ['tpm-declared'],
  rules: [{ kind: 'endorsement', accept: ['listed', 'approved'] }],
}

/** A TPM of a manufacturer that nobody admitted, which sends no certificate. */
function createTpm(api: TestApi): EmulatedTpm {
  return new EmulatedTpm({ manufacturer: createEmulatedManufacturer(api.clock.now()) })
}

const digestOf = ({ endorsementKey }: EmulatedTpm): string =>
  verifyDeclaredEndorsementKey(endorsementKey).spkiSha256

async function ask(api: TestApi, tpm: EmulatedTpm, name: string): Promise<TestAnswer> {
  const endorsementKey = { public: encodeBase64url(tpm.endorsementKey.public) }
  return await postJson(api, '/v1/enrollments', { ...enrollmentBody(tpm, name), endorsementKey })
}

async function enroll(api: TestApi, tpm: EmulatedTpm, name: string): Promise<TestAnswer> {
  const asked = await ask(api, tpm, name)
  if (asked.status !== 201) return asked
  const challenge = readChallenge(asked)
  const { body } = evidenceBody(tpm, challenge)
  return await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
}

test('a TPM without certificate waits, is approved by the digest that its machine shows, and enrols', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  await establishPolicy(api, operator, declared)
  const tpm = createTpm(api)
  const first = await ask(api, tpm, 'without')
  t.is(first.status, 403)
  t.like(first.json, { code: 'endorsement-pending' })
  t.like((await ask(api, tpm, 'without')).json, { code: 'endorsement-pending' })

  const { json } = await call(api, operator, 'GET', '/v1/endorsements')
  const [waiting, ...others] = json['endorsements'] as { id: string }[]
  t.deepEqual(others, [])
  t.like(waiting, { status: 'pending', hostName: 'without', decidedAt: null })
  const path = `/v1/endorsements/${waiting?.id}/approve`
  const wrong = await call(api, operator, 'POST', path, { spkiSha256: 'ab'.repeat(32) })
  t.is(wrong.status, 409)
  t.like(wrong.json, { code: 'endorsement-differs' })
  const right = await call(api, operator, 'POST', path, { spkiSha256: digestOf(tpm) })
  t.like(right.json, { status: 'approved', decidedBy: operator.clientId })

  const enrolled = await enroll(api, tpm, 'without')
  t.is(enrolled.status, 201)
  t.like(enrolled.json['attestationResult'], { status: 'affirming', assurance: 'tpm-declared' })
  const log = await verifyTestLog(api.service)
  t.is(log.filter(line => line.type === 'endorsement.queued').length, 1)
  t.like(log.find(line => line.type === 'host.enrolled')?.detail, { endorsed: 'approved' })
  t.false(JSON.stringify(log).includes(digestOf(tpm)))
})

test('a TPM that was listed before enrols at once', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  await establishPolicy(api, operator, declared)
  const tpm = createTpm(api)
  const listed = await call(api, operator, 'POST', '/v1/endorsements', {
    spkiSha256: digestOf(tpm),
  })
  t.is(listed.status, 201)
  t.like(listed.json, { status: 'listed', hostName: null })
  t.is((await enroll(api, tpm, 'listed')).status, 201)
})

test('a refused key is refused, also between challenge and answer', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  await establishPolicy(api, operator, declared)
  const tpm = createTpm(api)
  const listed = await call(api, operator, 'POST', '/v1/endorsements', {
    spkiSha256: digestOf(tpm),
  })
  const challenge = readChallenge(await ask(api, tpm, 'late'))
  const refused = await call(
    api,
    operator,
    'POST',
    `/v1/endorsements/${String(listed.json['id'])}/refuse`,
  )
  t.like(refused.json, { status: 'refused' })
  const { body } = evidenceBody(tpm, challenge)
  const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  t.is(answer.status, 403)
  t.like(answer.json, { code: 'endorsement-refused' })
  t.like((await ask(api, tpm, 'late')).json, { code: 'endorsement-refused' })
  t.deepEqual(await api.service.store.hosts.list(), [])
})

test('an approved key is not admitted by a policy that wants certificates or does not name its level', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const tpm = createTpm(api)
  await call(api, operator, 'POST', '/v1/endorsements', { spkiSha256: digestOf(tpm) })
  const answer = await enroll(api, tpm, 'listed')
  t.is(answer.status, 403)
  t.like(answer.json, { code: 'attestation-contraindicated', found: 'assurance' })
  const { rules } = writtenPolicy
  await establishPolicy(api, operator, { ...declared, rules })
  t.like((await enroll(api, tpm, 'listed')).json, { found: 'endorsement' })
})

test('a key without certificate must follow a template and be the one that was approved', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  await establishPolicy(api, operator, declared)
  const tpm = createTpm(api)
  const signing = { public: encodeBase64url(tpm.attestationKey.public) }
  const body = { ...enrollmentBody(tpm), endorsementKey: signing }
  t.like((await postJson(api, '/v1/enrollments', body)).json, { code: 'ek-template' })
  const { json } = await call(api, operator, 'GET', '/v1/endorsements')
  t.deepEqual(json['endorsements'], [])
})

test('an auditor sees the queue and decides nothing', async t => {
  const api = await startTestApi(t)
  const auditor = await createOperator(api, 'auditor')
  t.is((await call(api, auditor, 'GET', '/v1/endorsements')).status, 200)
  const body = { spkiSha256: 'ab'.repeat(32) }
  t.like((await call(api, auditor, 'POST', '/v1/endorsements', body)).json, { code: 'token-scope' })
  const administrator = await createOperator(api)
  t.like((await call(api, administrator, 'POST', '/v1/endorsements/nobody/refuse')).json, {
    code: 'endorsement-unknown',
  })
})
