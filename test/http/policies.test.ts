import test from 'ava'
import { createTestKey } from '../support/compact-jws.ts'
import { activate, establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import { startTestApi, verifyTestLog } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  enrollHost,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'

const digest = 'a1'.repeat(32)
const pcrRule = { kind: 'pcr-values', id: 'boot', values: { 7: [digest] } }

test('a service begins with the policy of its configuration, activated by itself', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { json } = await call(api, operator, 'GET', '/v1/policies')
  t.is(json['active'], 1)
  t.like(json['activations'], [{ version: 1, by: 'service', jws: null }])
  const [first] = json['policies'] as { document: Record<string, unknown> }[]
  t.like(first?.document, { name: 'configuration', assurance: ['emulated'] })
})

test('an operator proposes a policy, signs for it, and hosts are held to it', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  await enrollHost(api, manufacturer, { name: 'before' })
  const { version, id } = await establishPolicy(api, operator, {
    ...writtenPolicy,
    rules: [...writtenPolicy.rules, pcrRule],
  })
  t.is(version, 2)
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm, 'after')
  t.deepEqual(challenge.pcrSelection, { sha256: [0, 4, 7] })
  const { body } = evidenceBody(tpm, challenge)
  const refused = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  t.is(refused.status, 403)
  t.like(refused.json, { code: 'attestation-contraindicated', found: 'boot' })
  t.like(refused.json['attestationResult'], { status: 'contraindicated', policy: { version, id } })
  t.regex(String(refused.json['ear']), /^[\w-]+\.[\w-]+\.[\w-]+$/)

  tpm.pcrs.set(7, Buffer.from(digest, 'hex'))
  const host = await enrollHost(api, manufacturer, { name: 'after', tpm })
  t.like(host.enrolled.json['attestationResult'], { status: 'affirming', policy: { version } })
  const log = await verifyTestLog(api.service)
  const activated = log.filter(line => line.type === 'policy.activated')
  t.deepEqual(
    activated.map(line => line.actor),
    ['service', operator.clientId],
  )
  t.regex(String(activated[1]?.detail['jws']), /^[\w-]+\.[\w-]+\.[\w-]+$/)
})

test('refuses an activation that is not by the caller, not for this version or not for now', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const other = await createOperator(api)
  const { json } = await call(api, operator, 'POST', '/v1/policies', writtenPolicy)
  const policy = String(json['id'])
  const claims = { policy, version: 2, replaces: 1 }
  const refusals = [
    [await activate(api, operator, claims, other.key), 'activation-signature', 403],
    [await activate(api, operator, claims, createTestKey()), 'activation-signature', 403],
    [await activate(api, operator, { ...claims, replaces: 2 }), 'activation-mismatch', 409],
    [
      await activate(api, operator, { ...claims, policy: `sha256:${digest}` }),
      'activation-mismatch',
      409,
    ],
    [await activate(api, operator, { ...claims, version: 9 }), 'policy-unknown', 404],
  ] as const
  for (const [answer, code, status] of refusals) {
    t.like(answer.json, { code })
    t.is(answer.status, status)
  }
  t.is((await call(api, operator, 'GET', '/v1/policies')).json['active'], 1)
  t.is((await activate(api, operator, claims)).status, 200)
  t.is((await call(api, operator, 'GET', '/v1/policies')).json['active'], 2)
  t.like((await activate(api, operator, claims)).json, { code: 'activation-mismatch' })
})

test('one of a hundred activations that replace the same version counts', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { json } = await call(api, operator, 'POST', '/v1/policies', writtenPolicy)
  const claims = { policy: String(json['id']), version: 2, replaces: 1 }
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => activate(api, operator, claims)),
  )
  t.is(answers.filter(answer => answer.status === 200).length, 1)
  for (const answer of answers.filter(one => one.status !== 200))
    t.true(['policy-conflict', 'activation-mismatch'].includes(String(answer.json['code'])))
  const list = await call(api, operator, 'GET', '/v1/policies')
  t.is((list.json['activations'] as unknown[]).length, 2)
})

test('an auditor reads and simulates, and neither writes nor activates', async t => {
  const api = await startTestApi(t)
  const auditor = await createOperator(api, 'auditor')
  t.is((await call(api, auditor, 'GET', '/v1/policies/1')).status, 200)
  t.is((await call(api, auditor, 'POST', '/v1/policies/1/simulate')).status, 200)
  t.like((await call(api, auditor, 'POST', '/v1/policies', writtenPolicy)).json, {
    code: 'token-scope',
  })
  t.like((await activate(api, auditor, { policy: 'x', version: 1, replaces: 1 })).json, {
    code: 'token-scope',
  })
})

test('a policy that accepts emulated hardware is refused where the configuration does not', async t => {
  const api = await startTestApi(t)
  const { attestation } = api.service.settings
  const strict = await startTestApi(t, {
    attestation: { ...attestation, assurance: ['tpm-discrete'] },
  })
  const operator = await createOperator(strict)
  const answer = await call(strict, operator, 'POST', '/v1/policies', writtenPolicy)
  t.is(answer.status, 403)
  t.like(answer.json, { code: 'policy-emulated' })
  const real = { ...writtenPolicy, assurance: ['tpm-discrete'] }
  t.is((await call(strict, operator, 'POST', '/v1/policies', real)).status, 201)
})

test('an empty policy admits nobody, and says so with its own code before anything is challenged', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const tpm = new EmulatedTpm({ manufacturer })
  const open = await askForChallenge(api, tpm, 'early')
  await establishPolicy(api, operator, { ...writtenPolicy, rules: [] })
  await t.throwsAsync(askForChallenge(api, tpm, 'late'), { message: /policy-empty/ })
  const { body } = evidenceBody(tpm, open)
  const answer = await postJson(api, `/v1/enrollments/${open.id}/evidence`, body)
  t.is(answer.status, 403)
  t.like(answer.json, { code: 'policy-empty' })
  t.deepEqual(await api.service.store.hosts.list(), [])
})

test('a malformed policy is refused by the member that is wrong', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const post = async (policy: object): Promise<Record<string, unknown>> =>
    (await call(api, operator, 'POST', '/v1/policies', policy)).json
  t.like(await post({ ...writtenPolicy, rules: [{ kind: 'anything-goes' }] }), {
    code: 'request-malformed',
  })
  t.like(await post({ ...writtenPolicy, surprise: true }), { code: 'request-malformed' })
  const twice = { sha256: [...Array.from({ length: 8 }, (_, pcr) => pcr), 7] }
  t.like(await post({ ...writtenPolicy, pcrs: twice }), {
    code: 'request-malformed',
    found: 'pcrs.sha256: a PCR is named once',
  })
  t.like(await post({ ...writtenPolicy, rules: [{ ...pcrRule, values: { 7: ['nobody'] } }] }), {
    code: 'policy-reference-unknown',
  })
  t.like(await post({ ...writtenPolicy, rules: [{ ...pcrRule, values: { 9: [digest] } }] }), {
    code: 'policy-pcr-unquoted',
  })
  t.is((await call(api, operator, 'GET', '/v1/policies/x')).status, 404)
  t.like((await call(api, operator, 'GET', '/v1/policies/7')).json, { code: 'policy-unknown' })
})

test('a simulation says which hosts would change and why, and changes nothing', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const good = new EmulatedTpm({ manufacturer })
  good.pcrs.set(7, Buffer.from(digest, 'hex'))
  const kept = await enrollHost(api, manufacturer, { name: 'kept', tpm: good })
  const lost = await enrollHost(api, manufacturer, { name: 'lost' })
  const proposal = { ...writtenPolicy, rules: [...writtenPolicy.rules, pcrRule] }
  await call(api, operator, 'POST', '/v1/policies', proposal)
  const before = await api.service.store.audit.checkpoint()
  const { json } = await call(api, operator, 'POST', '/v1/policies/2/simulate')
  t.is(json['judged'], 2)
  t.deepEqual(json['unjudged'], [])
  const [change, ...others] = json['changes'] as Record<string, unknown>[]
  t.deepEqual(others, [])
  t.like(change, {
    host: lost.id,
    name: 'lost',
    from: { status: 'affirming', accepted: true },
    to: { status: 'contraindicated', accepted: false },
    rule: 'boot',
  })
  t.is(await api.service.store.audit.checkpoint(), before)
  t.like(await api.service.store.hosts.find(lost.id), { status: 'active' })
  t.like(await api.service.store.hosts.find(kept.id), { status: 'active' })
})

test('a simulation verifies the kept bytes again: what was tampered with is contraindicated', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const host = await enrollHost(api, manufacturer)
  const { attestations } = api.service.store
  const whole = (await api.service.store.hosts.find(host.id))?.attestationId ?? ''
  const record = await attestations.find(whole)
  const context = JSON.parse(record?.context ?? '') as Record<string, unknown>
  const tampered = { ...context, nonce: Buffer.alloc(32).toString('base64url') }
  const find = async (id: string): Promise<typeof record> => {
    const found = await attestations.find(id)
    return found && { ...found, context: JSON.stringify(tampered) }
  }
  const store = { ...api.service.store, attestations: { ...attestations, find } }
  const { simulatePolicy } = await import('../../src/services/policy-simulation.ts')
  t.deepEqual((await simulatePolicy(api.service, 1)).changes, [])
  const { changes } = await simulatePolicy({ ...api.service, store }, 1)
  t.like(changes[0], { rule: 'activation-proof', to: { status: 'contraindicated' } })
  t.is((await call(api, operator, 'POST', '/v1/policies/1/simulate')).status, 200)
})

test('the configuration is followed until an operator activates a policy', async t => {
  const { followConfiguration } = await import('../../src/services/appraisal-policy.ts')
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { service } = api
  const changed = {
    ...service,
    settings: {
      ...service.settings,
      attestation: { ...service.settings.attestation, validitySeconds: 60 },
    },
  }
  t.is((await followConfiguration(service)).policy.version, 1)
  t.is((await followConfiguration(service)).policy.version, 1)
  t.is((await followConfiguration(changed)).policy.version, 2)
  t.is((await followConfiguration(changed)).policy.document.validitySeconds, 60)
  await establishPolicy(api, operator, writtenPolicy)
  t.is((await followConfiguration(service)).policy.version, 3)
})
