import test from 'ava'
import { revoke } from '../../src/services/revocation.ts'
import type { PlatformState } from '../../src/core/appraisal/platform-state.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { SignerError } from '../../src/ports/signer-error.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  createAgent,
  enrollHost,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'

async function answer(
  api: TestApi,
  tpm: EmulatedTpm,
  challenge: Awaited<ReturnType<typeof askForChallenge>>,
): Promise<TestAnswer> {
  const { body } = evidenceBody(tpm, challenge)
  return await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
}

async function attest(api: TestApi, tpm: EmulatedTpm, name?: string): Promise<TestAnswer> {
  return await answer(api, tpm, await askForChallenge(api, tpm, name))
}

async function stateOf(api: TestApi, id: string): Promise<PlatformState> {
  const host = await api.service.store.hosts.find(id)
  return JSON.parse(host?.platformState ?? '') as PlatformState
}

test('a host that attests again keeps its id, and its reboots are counted', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  t.is((await stateOf(api, host.id)).reboots, 0)
  host.tpm.reset()
  host.tpm.reset()
  const again = await attest(api, host.tpm)
  t.is(again.status, 201)
  t.like(again.json['host'], { id: host.id })
  t.like(await stateOf(api, host.id), { reboots: 2, resetCount: host.tpm.clockInfo.resetCount })
  const log = (await verifyTestLog(api.service)).filter(line => line.type === 'host.enrolled')
  t.like(log[1]?.detail, { reboots: 2 })
})

const rollbacks: Readonly<Record<string, (tpm: EmulatedTpm) => void>> = {
  'state-clock': tpm => {
    tpm.clockInfo = { ...tpm.clockInfo, clock: 1n }
  },
  'state-reset-count': tpm => {
    tpm.clockInfo = { ...tpm.clockInfo, resetCount: 1 }
  },
  'state-firmware': tpm => {
    tpm.firmwareVersion -= 1n
  },
}

for (const [rule, setBack] of Object.entries(rollbacks)) {
  test(`a TPM that was set back (${rule}) loses its host with everything under it`, async t => {
    const api = await startTestApi(t)
    const host = await enrollHost(api, await admitManufacturer(api))
    await api.service.store.classes.create(
      {
        name: 'reporter',
        audiences: ['https://api.example/'],
        scopes: [],
        hosts: ['*'],
        tokenLifetimeSeconds: 300,
        owner: null,
        environment: 'default',
        sensitivity: 'internal',
        authorizationDetails: [],
        clientIds: [],
        createdAt: 1,
        createdBy: 'service',
      },
      { type: 'class.registered', time: 1, actor: 'service', subject: 'reporter', detail: {} },
    )
    const agent = await createAgent(api, host, 'reporter')
    setBack(host.tpm)
    const refused = await attest(api, host.tpm)
    t.is(refused.status, 403)
    t.like(refused.json, { code: 'attestation-rollback', found: rule })
    t.like(refused.json['attestationResult'], { rule, status: 'contraindicated' })
    const stored = await api.service.store.hosts.find(host.id)
    t.like(stored, { status: 'revoked', revocationReason: `rollback of the TPM: ${rule}` })
    t.like(await api.service.store.agents.find(agent.id), { status: 'revoked' })
    t.like((await call(api, host, 'POST', '/v1/agents', { class: 'reporter' })).json, {
      code: 'host-revoked',
    })
    const lines = await verifyTestLog(api.service)
    const revoked = lines.find(line => line.type === 'host.revoked')
    const [kept] = await api.service.store.attestations.list(host.id, 1)
    t.like(revoked?.detail, { rule, attestation: kept?.id, evidence: kept?.evidenceSha256 })
    t.like((await attest(api, host.tpm)).json, { code: 'host-revoked' })
  })
}

test('a rollback revokes while the signing key does not answer; the verdict is kept without an EAR', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const down = {
    ...api.service.tokenKeys.current,
    sign: async () => await Promise.reject(new SignerError('signer-down')),
  }
  Object.defineProperty(api.service.tokenKeys, 'current', { value: down })
  host.tpm.clockInfo = { ...host.tpm.clockInfo, resetCount: 1 }
  const refused = await attest(api, host.tpm)
  t.like(refused, { status: 403, json: { code: 'attestation-rollback' } })
  t.is(refused.json['ear'], undefined)
  t.like(await api.service.store.hosts.find(host.id), { status: 'revoked' })
  const [kept] = await api.service.store.attestations.list(host.id, 1)
  t.is((await api.service.store.attestations.find(kept?.id ?? ''))?.ear, '')
})

test('firmware that was updated is admitted and becomes the new floor', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  host.tpm.firmwareVersion += 5n
  t.is((await attest(api, host.tpm)).status, 201)
  host.tpm.firmwareVersion -= 1n
  t.like((await attest(api, host.tpm)).json, { code: 'attestation-rollback' })
})

test('counters that went back under another attestation key are refused, without a revocation', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const { endorsementKey, endorsementCertificate, manufacturer } = host.tpm
  const other = Object.assign(new EmulatedTpm({ manufacturer }), {
    endorsementKey,
    endorsementCertificate,
    clockInfo: { clock: 5n, resetCount: 0, restartCount: 0, safe: true },
  })
  const refused = await attest(api, other)
  t.is(refused.status, 403)
  t.like(refused.json, { code: 'attestation-contraindicated', found: 'state-attestation-key' })
  t.like(await api.service.store.hosts.find(host.id), { status: 'active' })
  other.clockInfo = { ...host.tpm.clockInfo, clock: host.tpm.clockInfo.clock + 1000n }
  t.is((await attest(api, other)).status, 201)
})

test('the same TPM under a new name finds its old record, and the log says so', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api), { name: 'old' })
  const renamed = await attest(api, host.tpm, 'new')
  t.like(renamed.json['host'], { id: host.id, name: 'new' })
  t.is((await api.service.store.hosts.list()).length, 1)
  const log = (await verifyTestLog(api.service)).filter(line => line.type === 'host.enrolled')
  t.like(log[1]?.detail, { name: 'new', formerName: 'old' })
})

test('another TPM under the name of an active host is refused, until that host is revoked', async t => {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  const host = await enrollHost(api, manufacturer, { name: 'rack-4' })
  const other = new EmulatedTpm({ manufacturer })
  const refused = await attest(api, other, 'rack-4')
  t.is(refused.status, 409)
  t.like(refused.json, { code: 'host-name-in-use' })
  t.like(await api.service.store.hosts.findByName('rack-4'), { id: host.id })
  await revoke(api.service, 'service', { kind: 'host', id: host.id }, { text: 'replaced' })
  t.is((await attest(api, other, 'rack-4')).status, 201)
})

test('of a hundred answers to challenges of the same state one counts, and none revokes', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const challenges = await Promise.all(
    Array.from({ length: 100 }, async () => await askForChallenge(api, host.tpm)),
  )
  const bodies = challenges.map(challenge => ({ challenge, ...evidenceBody(host.tpm, challenge) }))
  // The later ones first: to the state that they leave, the earlier ones look like a clock that went back.
  const answers = await Promise.all(
    bodies
      .toReversed()
      .map(({ challenge, body }) =>
        postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body),
      ),
  )
  const codes = answers.map(one => (one.status === 201 ? 'done' : String(one.json['code'])))
  t.is(codes.filter(code => code === 'done').length, 1)
  t.is(codes.filter(code => code === 'attestation-superseded').length, 99)
  t.like(await api.service.store.hosts.find(host.id), { status: 'active', stateVersion: 2 })
})

test('one of a hundred first answers of one TPM makes its host, the others are told', async t => {
  const api = await startTestApi(t)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const challenges = await Promise.all(
    Array.from({ length: 100 }, async () => await askForChallenge(api, tpm)),
  )
  const answers = await Promise.all(challenges.map(challenge => answer(api, tpm, challenge)))
  t.is(answers.filter(one => one.status === 201).length, 1)
  t.true(
    answers
      .filter(one => one.status !== 201)
      .every(one => one.json['code'] === 'attestation-superseded' && one.status === 409),
  )
  t.is((await api.service.store.hosts.list()).length, 1)
})

test('a verdict that was refused does not take the place of the one that a host stands on', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const before = await api.service.store.hosts.find(host.id)
  const challenge = await askForChallenge(api, host.tpm)
  const { body } = evidenceBody(host.tpm, challenge, { nonce: new Uint8Array(32) })
  await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  t.deepEqual(await api.service.store.hosts.find(host.id), before)
  t.is((await attest(api, host.tpm)).status, 201)
})
