import { decodeBase64url, encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { exportJwk, thumbprint } from '../../src/core/jose/jwk.ts'
import {
  answerChallenge,
  proveKey,
  type AnswerEdit,
  type ChallengeToAnswer,
} from '../../swtpm/emulated/answer.ts'
import { EmulatedTpm, type EmulatedTpmOptions } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../swtpm/emulated/key.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import type { TestKey } from './compact-jws.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from './test-caller.ts'

/** A manufacturer whose root an operator admits. */
export async function admitManufacturer(api: TestApi): Promise<EmulatedManufacturer> {
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const anchor = {
    certificate: encodeBase64url(manufacturer.root.certificate),
    name: 'emulated',
    vendor: manufacturer.vendor,
    assurance: 'emulated',
  }
  const answer = await call(api, await createOperator(api), 'POST', '/v1/anchors', anchor)
  if (answer.status !== 201) throw new Error(`not admitted: ${answer.text}`)
  return manufacturer
}

/** A key of an emulated TPM as the token layer's tests use keys. */
export function testKeyOf(key: EmulatedKey): TestKey {
  const jwk = exportJwk(key.publicKey)
  return { privateKey: key.privateKey, publicKey: key.publicKey, jwk, jkt: thumbprint(jwk) }
}

/** The first message of an enrolment, as JSON. */
export function enrollmentBody(tpm: EmulatedTpm, name = 'host-1'): Record<string, unknown> {
  return {
    name,
    endorsementKey: {
      public: encodeBase64url(tpm.endorsementKey.public),
      certificate: encodeBase64url(tpm.endorsementCertificate),
      chain: [encodeBase64url(tpm.manufacturer.issuer.certificate)],
    },
    attestationKey: { public: encodeBase64url(tpm.attestationKey.public) },
  }
}

/** Posts JSON without authentication. */
export async function postJson(api: TestApi, path: string, body: unknown): Promise<TestAnswer> {
  return await api.send({
    method: 'POST',
    path,
    headers: [['Content-Type', 'application/json']],
    body: JSON.stringify(body),
  })
}

/** Asks for a challenge. */
export async function askForChallenge(
  api: TestApi,
  tpm: EmulatedTpm,
  name?: string,
): Promise<ChallengeToAnswer> {
  const answer = await postJson(api, '/v1/enrollments', enrollmentBody(tpm, name))
  if (answer.status !== 201) throw new Error(`no challenge: ${answer.text}`)
  return readChallenge(answer)
}

/** A challenge out of the answer to the first message. */
export function readChallenge({ json }: TestAnswer): ChallengeToAnswer {
  return {
    ...(json as unknown as ChallengeToAnswer),
    nonce: decodeBase64url(String(json['nonce'])),
    credentialBlob: decodeBase64url(String(json['credentialBlob'])),
    encryptedSecret: decodeBase64url(String(json['encryptedSecret'])),
  }
}

/** Bytes anywhere in a structure as base64url, for JSON. */
export function encodeBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return encodeBase64url(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encodeBytes(part)]))
}

/** The evidence step's body with the logs of the machine or others, and the key that it proves. */
export function evidenceBody(
  tpm: EmulatedTpm,
  challenge: ChallengeToAnswer,
  edit?: AnswerEdit,
  logs: EmulatedTpm['logs'] = tpm.logs,
): { body: unknown; key: EmulatedKey } {
  const { key, ...answer } = answerChallenge(tpm, challenge, edit)
  return { body: encodeBytes({ ...answer, ...logs }), key }
}

/** A host that is in, with its TPM. */
export interface TestHost extends TestCaller {
  readonly tpm: EmulatedTpm
  readonly tpmKey: EmulatedKey
  readonly id: string
  readonly enrolled: TestAnswer
}

/** Enrols an emulated TPM through both steps, and fetches the host's token. */
export async function enrollHost(
  api: TestApi,
  manufacturer: EmulatedManufacturer,
  options: {
    readonly name?: string
    readonly tpm?: EmulatedTpm
  } & Partial<EmulatedTpmOptions> = {},
): Promise<TestHost> {
  const tpm = options.tpm ?? new EmulatedTpm({ manufacturer, ...options })
  const challenge = await askForChallenge(api, tpm, options.name)
  const { body, key } = evidenceBody(tpm, challenge)
  const enrolled = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  if (enrolled.status !== 201) throw new Error(`not enrolled: ${enrolled.text}`)
  const { id, spiffeId } = enrolled.json['host'] as { id: string; spiffeId: string }
  const testKey = testKeyOf(key)
  return {
    tpm,
    tpmKey: key,
    id,
    clientId: spiffeId,
    key: testKey,
    enrolled,
    token: await fetchToken(api, testKey),
  }
}

/** An agent with a proven key and a token. */
export interface TestAgent extends TestCaller {
  readonly id: string
  readonly host: TestHost
  readonly tpmKey: EmulatedKey
  readonly issued: TestAnswer
}

/** The body that proves a key of an agent, and the key. */
export function agentEvidenceBody(
  tpm: EmulatedTpm,
  agentId: string,
  challenge: { readonly id: string; readonly nonce: string; readonly audience: string },
  edit?: AnswerEdit,
): { body: Record<string, unknown>; key: EmulatedKey } {
  const nonce = decodeBase64url(challenge.nonce)
  const { audience } = challenge
  const { key, csr, subjectKey } = proveKey(tpm, agentId, { nonce, audience }, edit)
  const evidence = { challenge: challenge.id, subjectKey: encodeBytes(subjectKey) }
  return { body: { csr: encodeBase64url(csr), evidence }, key }
}

/** Creates an agent of a class on a host and proves its key. */
export async function createAgent(
  api: TestApi,
  host: TestHost,
  className: string,
  form?: Readonly<Record<string, string>>,
): Promise<TestAgent> {
  const created = await call(api, host, 'POST', '/v1/agents', { class: className })
  if (created.status !== 201) throw new Error(`no agent: ${created.text}`)
  const { agent, challenge } = created.json as unknown as {
    agent: { id: string; spiffeId: string }
    challenge: Parameters<typeof agentEvidenceBody>[2]
  }
  const { body, key } = agentEvidenceBody(host.tpm, agent.id, challenge)
  const issued = await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
  if (issued.status !== 201) throw new Error(`no credential: ${issued.text}`)
  const testKey = testKeyOf(key)
  const token = await fetchToken(api, testKey, form)
  return { id: agent.id, clientId: agent.spiffeId, host, key: testKey, tpmKey: key, issued, token }
}
