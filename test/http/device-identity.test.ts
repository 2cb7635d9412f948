import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { tracesIn, tracesOf } from '../support/device-traces.ts'
import { establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  createAgent,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'

interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
  readonly tpm: EmulatedTpm
}

async function begin(t: ExecutionContext): Promise<Scene> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  return { api, operator, manufacturer, tpm: new EmulatedTpm({ manufacturer }) }
}

/** All that the service wrote into its log and reported, and what an operator reads of hosts and verdicts. */
async function writtenBy({ api, operator }: Scene): Promise<string[]> {
  const audit = await verifyTestLog(api.service)
  const attestations = await call(api, operator, 'GET', '/v1/attestations')
  const kept = attestations.json['attestations'] as { id: string }[]
  const reads = ['/v1/hosts', '/v1/endorsements', ...kept.map(({ id }) => `/v1/attestations/${id}`)]
  const answers = [attestations]
  for (const path of reads) answers.push(await call(api, operator, 'GET', path))
  const records = await Promise.all(kept.map(({ id }) => api.service.store.attestations.find(id)))
  return [
    ...answers.map(written),
    ...records.map(record => `${record?.verdict}\n${record?.ear}`),
    JSON.stringify(audit),
    ...audit.map(({ detail }) => inspect(detail, { depth: Infinity })),
    ...api.reports.map(report => inspect(report, { depth: Infinity })),
  ]
}

const written = ({ text, headers }: TestAnswer): string => `${text}\n${JSON.stringify(headers)}`

function assertNoTrace(t: ExecutionContext, tpm: EmulatedTpm, texts: readonly string[]): void {
  const traces = tracesOf(tpm)
  for (const text of texts) t.deepEqual(tracesIn(text, traces), [], text.slice(0, 300))
}

test('V1 nothing that a whole enrolment writes holds what identifies the TPM', async t => {
  const scene = await begin(t)
  const { api, operator, manufacturer, tpm } = scene
  const host = await enrollHost(api, manufacturer, { tpm })
  const again = await enrollHost(api, manufacturer, { tpm })
  const reader = { name: 'reader', audiences: ['https://api.example/'], scopes: ['read'] }
  const form = { ...reader, hosts: ['*'], tokenLifetimeSeconds: 120 }
  t.is((await call(api, operator, 'POST', '/v1/classes', form)).status, 201)
  const agent = await createAgent(api, again, 'reader')
  const texts = [written(host.enrolled), host.token, written(again.enrolled), again.token]
  const issued = [written(agent.issued), agent.token]
  assertNoTrace(t, tpm, [...texts, ...issued, ...(await writtenBy(scene))])
})

test('V1 the verdict still says which checks ran, and names the Evidence with its nonce by one digest', async t => {
  const { api, manufacturer } = await begin(t)
  const { enrolled } = await enrollHost(api, manufacturer)
  const verdict = enrolled.json['attestationResult'] as {
    evidenceSha256: string
    checks: { code: string; bytesSha256?: string }[]
  }
  t.regex(verdict.evidenceSha256, /^[0-9a-f]{64}$/)
  for (const family of ['ek-', 'path-', 'ak-', 'subject-parent'])
    t.true(
      verdict.checks.some(({ code }) => code.startsWith(family)),
      family,
    )
  t.true(verdict.checks.some(one => one.code === 'quote-magic' && one.bytesSha256 !== undefined))
})

/** What a host may send so that its enrolment ends at one step or another. */
const refusals: Readonly<Record<string, (scene: Scene) => Promise<TestAnswer>>> = {
  'an EK certificate that cannot be read': ({ api, tpm }) =>
    ask(api, tpm, { certificate: tpm.endorsementCertificate.subarray(0, -1) }),
  'a changed EK certificate': ({ api, tpm }) => {
    const certificate = Buffer.from(tpm.endorsementCertificate)
    certificate.writeUInt8(
      certificate.readUInt8(certificate.length - 1) ^ 1,
      certificate.length - 1,
    )
    return ask(api, tpm, { certificate })
  },
  'no way to an anchor': ({ api, tpm }) => ask(api, tpm, { chain: [] }),
  'another public area': ({ api, tpm, manufacturer }) =>
    ask(api, tpm, { public: new EmulatedTpm({ manufacturer }).endorsementKey.public }),
  'no certificate': ({ api, tpm }) => ask(api, tpm, { certificate: undefined }),
  'an EK certificate as a text that is none': ({ api, tpm }) =>
    ask(api, tpm, { certificate: `${encodeBase64url(tpm.endorsementCertificate)}=` }),
  'an answer without the secret': async ({ api, tpm }) => {
    const challenge = await askForChallenge(api, tpm)
    const { body } = evidenceBody(tpm, { ...challenge, nonce: new Uint8Array(32) })
    return postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  },
  'a TPM that the policy dislikes': async ({ api, tpm, operator }) => {
    const rules = [{ kind: 'endorsement', accept: ['listed'] }]
    await establishPolicy(api, operator, { ...writtenPolicy, rules })
    const challenge = await askForChallenge(api, tpm)
    const { body } = evidenceBody(tpm, challenge)
    return postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  },
}

type Part = Uint8Array | string | readonly Uint8Array[] | undefined

async function ask(
  api: TestApi,
  tpm: EmulatedTpm,
  change: Readonly<Record<string, Part>>,
): Promise<TestAnswer> {
  const body = enrollmentBody(tpm)
  const parts = Object.entries(change).map(([name, part]) => [
    name,
    part instanceof Uint8Array ? encodeBase64url(part) : part,
  ])
  const endorsementKey = { ...(body['endorsementKey'] as object), ...Object.fromEntries(parts) }
  return postJson(api, '/v1/enrollments', { ...body, endorsementKey })
}

for (const [name, send] of Object.entries(refusals)) {
  test(`V1 a refusal does not hold what identifies the TPM: ${name}`, async t => {
    const scene = await begin(t)
    const answer = await send(scene)
    t.true(answer.status === 403 || answer.status === 400, answer.text)
    assertNoTrace(t, scene.tpm, [written(answer), ...(await writtenBy(scene))])
  })
}

test('a trace is found however it is written', async t => {
  const { tpm } = await begin(t)
  const traces = tracesOf(tpm)
  const certificate = Buffer.from(tpm.endorsementCertificate)
  const found = (text: string): boolean => tracesIn(text, traces).includes('EK certificate')
  t.false(found('nothing'))
  for (const form of ['hex', 'base64', 'base64url'] as const)
    t.true(found(`text ${certificate.toString(form)} text`), form)
  for (const before of [0, 1, 2, 3])
    t.true(
      found(
        Buffer.concat([Buffer.alloc(before, 7), certificate, certificate]).toString('base64url'),
      ),
    )
  const inside = JSON.stringify({ x: certificate.toString('base64url') })
  t.true(found(`eyJ.${Buffer.from(inside).toString('base64url')}.sig`))
})
