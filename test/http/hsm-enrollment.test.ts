import { createHash } from 'node:crypto'
import type { KeyPurpose } from '../../src/core/verifier/transcript.ts'
import { establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { hsmProofMessage } from '../../src/core/formats/hsm/binding.ts'
import { goodYubiHsm, yubiHsmExtensions } from '../../swtpm/emulated/hsm-vendor.ts'
import { createEmulatedHsmVendor, type EmulatedHsm } from '../../swtpm/emulated/hsm-vendor.ts'
import { signAs } from '../core/formats/hsm-fixtures.ts'
import { certificationRequest } from '../support/certification-request.ts'
import { createTestKey, type TestKey } from '../support/compact-jws.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken } from '../support/test-caller.ts'
import { postJson } from '../support/test-host.ts'

const attestation = {
  assurance: ['hsm-attested'],
  pcrs: [0],
  referenceValues: {},
  validitySeconds: 86_400,
  challengeSeconds: 300,
  keepPerHost: 10,
  keepRefused: 100,
  keepRefusedSeconds: 86_400,
  requestsPerMinute: 10_000,
} as const

interface Stage {
  readonly api: TestApi
  readonly device: EmulatedHsm
  readonly other: EmulatedHsm
  /** Of the vendor's product authority, as the service admitted it. */
  readonly anchor: string
  readonly certificate: string
}

/** A service that admits YubiHSM 2 of one vendor, and two of its devices. */
async function createStage(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t, { attestation })
  const vendor = createEmulatedHsmVendor(api.clock.now(), 'Emulated YubiHSM')
  const labels = { name: 'yubihsm', vendor: 'yubihsm2', assurance: 'hsm-attested' }
  const certificate = encodeBase64url(vendor.product.certificate)
  const operator = await createOperator(api)
  const admitted = await call(api, operator, 'POST', '/v1/anchors', { ...labels, certificate })
  t.is(admitted.status, 201, admitted.text)
  const anchor = String(admitted.json['fingerprint'])
  const [device, other] = [vendor.createDevice(), vendor.createDevice()]
  return { api, device, other, anchor, certificate }
}

const token = (serial: number): Record<string, string> => ({
  manufacturer: 'Yubico (www.yubico.com)',
  model: 'YubiHSM',
  serial: String(serial),
})

async function challenge(api: TestApi, serial = goodYubiHsm.serial): Promise<TestAnswer> {
  const hsm = { format: 'hsm-attested', vendor: 'yubihsm2', token: token(serial) }
  return await postJson(api, '/v1/enrollments', { name: 'vault-1', hsm })
}

interface Proof {
  readonly purpose: KeyPurpose
  readonly contextId: string
  readonly nonce: string
}

/** What vouches for a key of a device, and the key's proof for a challenge. */
function evidenceOf(
  { api: { service } }: Stage,
  device: EmulatedHsm,
  key: TestKey,
  { nonce, ...of }: Proof,
  serial = goodYubiHsm.serial,
): { csr: string; hsm: Record<string, unknown> } {
  const extensions = yubiHsmExtensions({ serial })
  const statement = device.attest(key.publicKey, extensions, 'YubiHSM Attestation')
  const csr = certificationRequest(key)
  const context = {
    ...of,
    audience: service.settings.issuer,
    nonce: Buffer.from(nonce, 'base64url'),
  }
  const proof = signAs(key, hsmProofMessage(context, 'hsm-attested', { csr, statement }))
  return {
    csr: encodeBase64url(csr),
    hsm: {
      statement: encodeBase64url(statement),
      chain: [encodeBase64url(device.certificate)],
      proof: encodeBase64url(proof),
    },
  }
}

async function enroll(
  stage: Stage,
  key: TestKey,
  device = stage.device,
  claimed = goodYubiHsm.serial,
): Promise<TestAnswer> {
  const asked = await challenge(stage.api, claimed)
  const id = String(asked.json['id'])
  const proof = { purpose: 'host', contextId: id, nonce: String(asked.json['nonce']) } as const
  const body = evidenceOf(stage, device, key, proof)
  return await postJson(stage.api, `/v1/enrollments/${id}/evidence`, body)
}

test('a host with a YubiHSM 2 is let in by its vendor’s word, and attests anew as the same host', async t => {
  const stage = await createStage(t)
  const enrolled = await enroll(stage, createTestKey())
  t.is(enrolled.status, 201, enrolled.text)
  const { host, attestationResult } = enrolled.json as Record<string, Record<string, unknown>>
  t.like(host, { assurance: 'hsm-attested', status: 'active' })
  t.like(attestationResult, { status: 'affirming', hsm: { vendor: 'yubihsm2' }, platform: null })
  t.false(enrolled.text.includes(String(goodYubiHsm.serial)))
  const again = await enroll(stage, createTestKey())
  t.is(again.status, 201, again.text)
  t.is((again.json['host'] as { id: string }).id, String(host?.['id']))
})

test('another token than was claimed, a wrong kind of answer, and a second answer are refused', async t => {
  const stage = await createStage(t)
  const differs = await enroll(stage, createTestKey(), stage.device, 1)
  t.is(differs.status, 403)
  t.is(differs.json['code'], 'hsm-token-differs')
  const asked = await challenge(stage.api)
  const id = String(asked.json['id'])
  const proof = { purpose: 'host', contextId: id, nonce: String(asked.json['nonce']) } as const
  const body = evidenceOf(stage, stage.device, createTestKey(), proof)
  const path = `/v1/enrollments/${id}/evidence`
  t.is((await postJson(stage.api, path, body)).status, 201)
  const replayed = await postJson(stage.api, path, body)
  t.is(replayed.json['code'], 'challenge-used')
  const later = await challenge(stage.api)
  const other = await postJson(
    stage.api,
    `/v1/enrollments/${String(later.json['id'])}/evidence`,
    body,
  )
  t.is(other.json['code'], 'hsm-proof')
})

test('a level that the policy does not name is not even challenged for', async t => {
  const api = await startTestApi(t, {
    attestation: { ...attestation, assurance: ['tpm-discrete'] },
  })
  const answer = await challenge(api)
  t.is(answer.status, 403)
  t.is(answer.json['code'], 'hsm-level-closed')
})

test('an agent’s key is proven in the token of its host and in no other', async t => {
  const stage = await createStage(t)
  const { api } = stage
  const key = createTestKey()
  const enrolled = await enroll(stage, key)
  const { spiffeId } = enrolled.json['host'] as { spiffeId: string }
  const host = { clientId: spiffeId, key, token: await fetchToken(api, key) }
  const register = { name: 'coder', audiences: ['https://api.example'], scopes: [], hosts: ['*'] }
  await call(api, await createOperator(api), 'POST', '/v1/classes', register)
  const created = await call(api, host, 'POST', '/v1/agents', { class: 'coder' })
  t.is(created.status, 201, created.text)
  const { id } = created.json['agent'] as { id: string }
  const prove = async (device: EmulatedHsm, serial: number): Promise<TestAnswer> => {
    const asked = await call(api, host, 'POST', `/v1/agents/${id}/challenge`)
    const proof = { purpose: 'agent', contextId: id, nonce: String(asked.json['nonce']) } as const
    const { csr, hsm } = evidenceOf(stage, device, createTestKey(), proof, serial)
    const evidence = { challenge: asked.json['id'], hsm }
    return await call(api, host, 'POST', `/v1/agents/${id}/credentials`, { csr, evidence })
  }
  const elsewhere = await prove(stage.other, goodYubiHsm.serial + 1)
  t.is(elsewhere.json['code'], 'hsm-token-differs')
  const proven = await prove(stage.device, goodYubiHsm.serial)
  t.is(proven.status, 201, proven.text)
})

test('a host with an HSM renews by a fresh proof in its token, within a limit of its own', async t => {
  const stage = await createStage(t)
  const { api } = stage
  const key = createTestKey()
  const enrolled = await enroll(stage, key)
  const { id, spiffeId } = enrolled.json['host'] as { id: string; spiffeId: string }
  const renew = async (proven: TestKey, changes: Partial<Proof> = {}): Promise<TestAnswer> => {
    const host = { clientId: spiffeId, key, token: await fetchToken(api, key) }
    const asked = await call(api, host, 'POST', `/v1/hosts/${id}/renewal-challenge`)
    const nonce = String(asked.json['nonce'])
    const proof = { purpose: 'renewal', contextId: id, nonce, ...changes } as const
    const { csr, hsm } = evidenceOf(stage, stage.device, proven, proof)
    const renewal = { challenge: asked.json['id'], hsm }
    return await call(api, host, 'POST', `/v1/hosts/${id}/credentials`, { csr, renewal })
  }
  t.is((await renew(key)).status, 201)
  t.is((await renew(key, { purpose: 'host' })).json['code'], 'hsm-proof')
  t.is((await renew(key, { nonce: 'AAAA' })).json['code'], 'hsm-proof')
  t.is((await renew(createTestKey())).json['code'], 'renewal-key-differs')
  const hour = 3_600_000
  const { service } = api
  const short = { ...writtenPolicy, assurance: ['hsm-attested'], validitySeconds: 7 * 86_400 }
  const keyProof = { tpmMaxSeconds: 86_400, hsmMaxSeconds: 7_200 }
  await establishPolicy(api, await createOperator(api), { ...short, keyProof })
  t.like((await service.store.policies.findActive())?.policy, { version: 2 })
  api.clock.advance(hour)
  t.is((await renew(key)).status, 201)
  api.clock.advance(hour)
  t.is((await renew(key)).json['code'], 'key-proof-expired')
})

test('revoking the maker’s certificate takes its HSM hosts, and it is not admitted again', async t => {
  const stage = await createStage(t)
  const { api, anchor, certificate } = stage
  const enrolled = await enroll(stage, createTestKey())
  const { id } = enrolled.json['host'] as { id: string }
  const operator = await createOperator(api)
  const target = { kind: 'anchor', fingerprint: anchor }
  const revoked = await call(api, operator, 'POST', '/v1/revocations', { target, reason: 'stolen' })
  t.like(revoked.json, { hosts: 1, certificates: 1 }, revoked.text)
  t.like(await api.service.store.hosts.find(id), { status: 'revoked' })
  const labels = { name: 'again', vendor: 'yubihsm2', assurance: 'hsm-attested', certificate }
  const again = await call(api, operator, 'POST', '/v1/anchors', labels)
  t.like(again.json, { code: 'anchor-revoked' })
})

test('a maker’s certificate that was revoked before it came is not admitted', async t => {
  const api = await startTestApi(t, { attestation })
  const vendor = createEmulatedHsmVendor(api.clock.now(), 'Emulated YubiHSM')
  const { certificate } = vendor.product
  const fingerprint = createHash('sha256').update(certificate).digest('hex')
  const operator = await createOperator(api)
  const target = { kind: 'anchor', fingerprint }
  const revoked = await call(api, operator, 'POST', '/v1/revocations', { target, reason: 'stolen' })
  t.is(revoked.status, 200, revoked.text)
  const labels = { name: 'yubihsm', vendor: 'yubihsm2', assurance: 'hsm-attested' }
  const body = { ...labels, certificate: encodeBase64url(certificate) }
  t.like((await call(api, operator, 'POST', '/v1/anchors', body)).json, { code: 'anchor-revoked' })
})

test('revoking a range of firmware takes HSM hosts that run it, and no others of it come in', async t => {
  const stage = await createStage(t)
  const { api } = stage
  const enrolled = await enroll(stage, createTestKey())
  const { id } = enrolled.json['host'] as { id: string }
  const operator = await createOperator(api)
  const range = { kind: 'firmware', vendor: 'yubihsm2', from: '2.0', to: '2.999' }
  const body = { target: range, reason: 'an advisory' }
  const revoked = await call(api, operator, 'POST', '/v1/revocations', body)
  t.like(revoked.json, { hosts: 1 }, revoked.text)
  t.like(await api.service.store.hosts.find(id), { status: 'revoked' })
  const serial = goodYubiHsm.serial + 1
  const asked = await challenge(api, serial)
  const contextId = String(asked.json['id'])
  const proof = { purpose: 'host', contextId, nonce: String(asked.json['nonce']) } as const
  const evidence = evidenceOf(stage, stage.other, createTestKey(), proof, serial)
  const refused = await postJson(api, `/v1/enrollments/${contextId}/evidence`, evidence)
  t.is(refused.status, 403, refused.text)
  t.is(refused.json['code'], 'firmware-revoked')
})
