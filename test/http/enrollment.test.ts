import { createHash, X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { assertProblem } from '../support/assert-problem.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'

interface Enrolling {
  readonly api: TestApi
  readonly tpm: EmulatedTpm
}

async function begin(t: ExecutionContext): Promise<Enrolling> {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  return { api, tpm: new EmulatedTpm({ manufacturer }) }
}

test('a TPM of an admitted manufacturer enrols, and gets a certificate for its certified key', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api), { name: 'rack-4' })
  const { json } = host.enrolled
  t.like(json['host'], {
    name: 'rack-4',
    status: 'active',
    assurance: 'emulated',
    jkt: host.key.jkt,
  })
  const chain = (json['certificateChain'] as string[]).map(pem => new X509Certificate(pem))
  t.is(chain.length, 3)
  t.true(chain[0]?.publicKey.equals(host.key.publicKey))
  t.is(chain[0]?.subjectAltName, `URI:${host.clientId}`)
  t.true(chain[0]?.verify(chain[1]?.publicKey ?? host.key.publicKey))
})

test('the verdict that is answered holds each check, and nothing that identifies the TPM', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const { text, json } = host.enrolled
  const verdict = JSON.stringify(json['attestationResult'])
  for (const code of ['activation-proof', 'quote-nonce', 'certify-binding', 'csr-key-differs'])
    t.true(verdict.includes(code), code)
  const { tpm } = host
  for (const bytes of [tpm.endorsementCertificate, tpm.endorsementKey.public]) {
    t.false(text.includes(encodeBase64url(bytes)))
    t.false(text.includes(Buffer.from(bytes).toString('base64')))
  }
})

test('each step of an enrolment is in the log before its answer', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const lines = await verifyTestLog(api.service)
  const types = lines.map(({ type }) => type)
  for (const type of [
    'anchor.added',
    'enrollment.challenged',
    'host.enrolled',
    'certificate.intended',
    'certificate.issued',
  ])
    t.true(types.includes(type), type)
  t.true(types.indexOf('enrollment.challenged') < types.indexOf('host.enrolled'))
  t.true(types.indexOf('certificate.intended') < types.indexOf('certificate.issued'))
  t.is(lines.find(({ type }) => type === 'host.enrolled')?.subject, host.id)
  const log = JSON.stringify(lines)
  const { tpm } = host
  const digest = createHash('sha256').update(tpm.endorsementCertificate).digest('hex')
  for (const secret of [
    encodeBase64url(tpm.endorsementCertificate),
    encodeBase64url(tpm.endorsementKey.public),
    digest,
  ])
    t.false(log.includes(secret))
})

test('the same TPM keeps its host, under whatever name and however often it enrols', async t => {
  const { api, tpm } = await begin(t)
  const { manufacturer } = tpm
  const first = await enrollHost(api, manufacturer, { tpm, name: 'one' })
  const second = await enrollHost(api, manufacturer, { tpm, name: 'two' })
  t.is(second.id, first.id)
  t.is(
    (await call(api, first, 'POST', '/v1/agents', { class: 'x' })).json['code'],
    'key-superseded',
  )
  const operator = await createOperator(api)
  const { json } = await call(api, operator, 'GET', '/v1/hosts')
  t.like(json, { hosts: [{ id: first.id, name: 'two', jkt: second.key.jkt }] })
})

test('two TPMs are two hosts, and neither id tells anything of its TPM', async t => {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  const [one, two] = [
    await enrollHost(api, manufacturer, { name: 'a' }),
    await enrollHost(api, manufacturer, { name: 'b' }),
  ]
  t.not(one.id, two.id)
  const other = await startTestApi(t)
  const elsewhere = await enrollHost(other, await admitManufacturer(other), { tpm: one.tpm }).catch(
    () => undefined,
  )
  t.is(elsewhere, undefined, 'that service does not know the manufacturer')
})

test('a TPM of a manufacturer that was not admitted is not challenged, and its refusal is logged', async t => {
  const { api } = await begin(t)
  const stranger = new EmulatedTpm({ manufacturer: createEmulatedManufacturer(api.clock.now()) })
  const answer = await postJson(api, '/v1/enrollments', enrollmentBody(stranger))
  t.is(answer.status, 403)
  t.is(answer.type, 'application/problem+json')
  const checks = answer.json['checks'] as { code: string; outcome: string }[]
  t.is(checks.at(-1)?.outcome, 'fail')
  t.is(checks.at(-1)?.code, String(answer.json['code']))
  t.true(checks.slice(0, -1).every(({ outcome }) => outcome === 'pass'))
  const line = (await verifyTestLog(api.service)).find(({ type }) => type === 'enrollment.refused')
  t.is(line?.detail['code'], answer.json['code'])
})

test('a challenge that nobody made, or that was answered, or that is over is refused', async t => {
  const { api, tpm } = await begin(t)
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const path = `/v1/enrollments/${challenge.id}/evidence`
  const unknown = await postJson(api, `/v1/enrollments/${'A'.repeat(38)}/evidence`, body)
  assertProblem(t, unknown, 404, 'enrollment-unknown')
  t.is((await postJson(api, path, body)).status, 201)
  assertProblem(t, await postJson(api, path, body), 409, 'challenge-used')
  const late = await askForChallenge(api, tpm, 'again')
  api.clock.advance(300_000)
  const answer = await postJson(
    api,
    `/v1/enrollments/${late.id}/evidence`,
    evidenceBody(tpm, late).body,
  )
  assertProblem(t, answer, 410, 'challenge-expired')
  await api.service.store.sweep(api.clock.now() + 1)
  assertProblem(t, await postJson(api, path, body), 404, 'enrollment-unknown')
})

test('a wrong answer uses the challenge up', async t => {
  const { api, tpm } = await begin(t)
  const challenge = await askForChallenge(api, tpm)
  const path = `/v1/enrollments/${challenge.id}/evidence`
  const wrong = evidenceBody(tpm, challenge, { nonce: new Uint8Array(32) })
  const refused = await postJson(api, path, wrong.body)
  t.is(refused.status, 403, refused.text)
  t.is(refused.type, 'application/problem+json')
  assertProblem(
    t,
    await postJson(api, path, evidenceBody(tpm, challenge).body),
    409,
    'challenge-used',
  )
})

test('evidence of another TPM, for another key, or from another session is refused by its check', async t => {
  const { api, tpm } = await begin(t)
  const other = new EmulatedTpm({ manufacturer: tpm.manufacturer })
  const send = async (edit: Parameters<typeof evidenceBody>[2]): Promise<TestAnswer> => {
    const challenge = await askForChallenge(api, tpm)
    return await postJson(
      api,
      `/v1/enrollments/${challenge.id}/evidence`,
      evidenceBody(tpm, challenge, edit).body,
    )
  }
  const swapped = other.createSubjectKey()
  for (const [edit, code] of [
    [{ secret: new Uint8Array(32) }, 'activation-proof'],
    [{ quote: { signer: other.attestationKey } }, 'quote-signature'],
    [{ certify: { signer: other.attestationKey } }, 'certify-signature'],
    [{ requestKey: swapped }, 'csr-key-differs'],
    [{ nonce: new Uint8Array(32) }, 'quote-nonce'],
  ] as const) {
    const answer = await send(edit)
    t.is(answer.json['code'], code, answer.text)
    t.is(answer.status, 403)
  }
  t.is((await send({})).status, 201)
})

test('genuine evidence that the policy dislikes is refused as that, with the verdict', async t => {
  const api = await startTestApi(t, {
    attestation: { ...(await policyWith({ 7: ['ab'.repeat(32)] })) },
  })
  const manufacturer = await admitManufacturer(api)
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  assertProblem(t, answer, 403, 'attestation-contraindicated')
  t.truthy(answer.json['attestationResult'])
})

async function policyWith(referenceValues: Record<string, string[]>) {
  return {
    assurance: ['emulated'] as const,
    pcrs: [0, 7],
    referenceValues,
    validitySeconds: 86_400,
    challengeSeconds: 300,
    keepPerHost: 10,
    keepRefused: 100,
    keepRefusedSeconds: 86_400,
    requestsPerMinute: 10_000,
  }
}

test('emulated hardware does not enrol where the configuration does not say so by that word', async t => {
  const attestation = { ...(await policyWith({})), assurance: ['tpm-discrete'] as const }
  const api = await startTestApi(t, { attestation })
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  assertProblem(t, answer, 403, 'attestation-contraindicated')
})

test('a revoked TPM does not come back, whatever it calls itself', async t => {
  const { api, tpm } = await begin(t)
  const host = await enrollHost(api, tpm.manufacturer, { tpm })
  const operator = await createOperator(api)
  const reason = { reason: 'stolen' }
  t.is((await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, reason)).status, 200)
  const asked = await postJson(api, '/v1/enrollments', enrollmentBody(tpm, 'new-name'))
  t.is(asked.status, 201, 'a challenge tells nothing of who is known here')
  const challenge = await askForChallenge(api, tpm, 'other-name')
  const answer = await postJson(
    api,
    `/v1/enrollments/${challenge.id}/evidence`,
    evidenceBody(tpm, challenge).body,
  )
  assertProblem(t, answer, 403, 'host-revoked')
  const lines = await verifyTestLog(api.service)
  t.is(lines.findLast(({ type }) => type === 'enrollment.refused')?.detail['code'], 'host-revoked')
})

test('from one address, no more enrolments are begun than a minute takes', async t => {
  const attestation = { ...(await policyWith({})), requestsPerMinute: 3 }
  const api = await startTestApi(t, { attestation })
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const answers: TestAnswer[] = []
  for (let count = 0; count < 4; count += 1)
    answers.push(await postJson(api, '/v1/enrollments', enrollmentBody(tpm)))
  t.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201, 429],
  )
  const [last] = answers.slice(-1)
  if (last !== undefined) assertProblem(t, last, 429, 'too-many-requests')
  t.is(last?.headers['retry-after'], '20')
  api.clock.advance(20_000)
  t.is((await postJson(api, '/v1/enrollments', enrollmentBody(tpm))).status, 201)
})
