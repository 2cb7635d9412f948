import test, { type ExecutionContext } from 'ava'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  assertionOf,
  askForToken,
  call,
  createOperator,
  postForm,
  proofOf,
  type TestCaller,
} from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  askForChallenge,
  createAgent,
  enrollHost,
  evidenceBody,
  postJson,
  type TestHost,
} from '../support/test-host.ts'
import { renewalBody } from '../support/test-renewal.ts'

const contenders = 100
const grant = { grant_type: 'client_credentials' }
const tokenCall = { method: 'POST', path: '/oauth/token' } as const

/** The same call a hundred times at once. */
async function contend<T>(one: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: contenders }, (_, index) => one(index)))
}

/** How often each outcome came: a status, and the code of a refusal. */
function tally(answers: readonly TestAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, json } of answers) {
    const code = status < 300 ? '' : ` ${String(json['code'])}`
    counts[`${status}${code}`] = (counts[`${status}${code}`] ?? 0) + 1
  }
  return counts
}

async function registerReader(api: TestApi, operator: TestCaller): Promise<void> {
  const reader = {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
    tokenLifetimeSeconds: 120,
  }
  await call(api, operator, 'POST', '/v1/classes', reader)
}

async function typesOf(api: TestApi): Promise<string[]> {
  return (await verifyTestLog(api.service)).map(({ type }) => type)
}

function countOf(list: readonly string[], type: string): number {
  return list.filter(row => row === type).length
}

test('a challenge answered a hundred times at once counts once', async t => {
  const api = await startTestApi(t)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const answers = await contend(() =>
    postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body),
  )
  t.deepEqual(tally(answers), { '201': 1, '409 challenge-used': contenders - 1 })
  const types = await typesOf(api)
  t.is(countOf(types, 'host.enrolled'), 1)
  t.is(countOf(types, 'certificate.issued'), 1)
})

test('a TPM that enrols a hundred times at once is one host, and one of its enrolments counts', async t => {
  const api = await startTestApi(t)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  const challenges = await contend(() => askForChallenge(api, tpm))
  const bodies = challenges.map(challenge => evidenceBody(tpm, challenge).body)
  const answers = await contend(index =>
    postJson(api, `/v1/enrollments/${challenges[index]?.id}/evidence`, bodies[index]),
  )
  t.deepEqual(tally(answers), { '201': 1, '409 attestation-superseded': contenders - 1 })
  t.is((await api.service.store.hosts.list()).length, 1)
  t.is(countOf(await typesOf(api), 'host.enrolled'), 1)
})

test('an agent’s challenge answered a hundred times at once counts once', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, await createOperator(api))
  const created = await call(api, host, 'POST', '/v1/agents', { class: 'reader' })
  const { agent, challenge } = created.json as { agent: { id: string }; challenge: never }
  const { body } = agentEvidenceBody(host.tpm, agent.id, challenge)
  const path = `/v1/agents/${agent.id}/credentials`
  const answers = await contend(() => call(api, host, 'POST', path, body))
  t.deepEqual(tally(answers), { '201': 1, '409 challenge-used': contenders - 1 })
  t.is(countOf(await typesOf(api), 'agent.key-bound'), 1)
})

test('a proof shown a hundred times at once gives one token', async t => {
  const api = await startTestApi(t)
  const { key } = await createOperator(api)
  const before = countOf(await typesOf(api), 'token.issued')
  const proof = await proofOf(api, key, tokenCall)
  const answers = await contend(() => postForm(api, '/oauth/token', grant, [['DPoP', proof]]))
  t.deepEqual(tally(answers), { '200': 1, '400 dpop-replayed': contenders - 1 })
  t.is(countOf(await typesOf(api), 'token.issued') - before, 1)
})

test('an assertion shown a hundred times at once gives one token', async t => {
  const api = await startTestApi(t)
  const { key, clientId } = await createOperator(api)
  const form = { ...grant, ...assertionOf(api, key, clientId) }
  const answers = await contend(() => postForm(api, '/oauth/token', form))
  t.deepEqual(tally(answers), { '200': 1, '401 assertion-replayed': contenders - 1 })
})

test('a proof shown a hundred times at once lets one request in', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const [path, method] = ['/v1/classes', 'POST']
  const proof = await proofOf(api, operator.key, { method, path, token: operator.token })
  const answers = await contend(index =>
    api.send({
      method,
      path,
      headers: [
        ['Authorization', `DPoP ${operator.token}`],
        ['DPoP', proof],
        ['Content-Type', 'application/json'],
      ],
      body: JSON.stringify({
        name: `class-${index}`,
        audiences: ['https://api.example/'],
        scopes: [],
        hosts: ['*'],
      }),
    }),
  )
  t.deepEqual(tally(answers), { '201': 1, '401 dpop-replayed': contenders - 1 })
  t.is(countOf(await typesOf(api), 'class.registered'), 1)
})

test('a key registered a hundred times at once is one operator', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const { jwk } = createTestKey()
  const body = { name: 'ada', role: 'auditor', keyProtection: 'file', jwk }
  const answers = await contend(() => call(api, operator, 'POST', '/v1/operators', body))
  t.deepEqual(tally(answers), { '201': 1, '409 key-in-use': contenders - 1 })
})

test('a key proven for a hundred agents at once becomes that of one', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, await createOperator(api))
  const created = await contend(() => call(api, host, 'POST', '/v1/agents', { class: 'reader' }))
  const subject = host.tpm.createSubjectKey()
  const answers = await contend(async index => {
    const { agent, challenge } = (created[index] as TestAnswer).json as {
      agent: { id: string }
      challenge: never
    }
    const { body } = agentEvidenceBody(host.tpm, agent.id, challenge, { subject })
    return await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
  })
  t.deepEqual(tally(answers), { '201': 1, '409 key-in-use': contenders - 1 })
})

/** No act of the host or its agents stands in the log behind the revocation. */
async function assertNothingAfter(
  t: ExecutionContext,
  api: TestApi,
  actors: readonly string[],
): Promise<void> {
  const lines = await verifyTestLog(api.service)
  const revoked = lines.findIndex(({ type }) => type === 'host.revoked')
  t.true(revoked > 0)
  const late = lines
    .slice(revoked)
    .filter(({ type }) =>
      ['token.issued', 'certificate.issued', 'agent.key-bound', 'agent.created'].includes(type),
    )
    .filter(({ actor, subject }) => actors.includes(actor) || actors.includes(subject))
  t.deepEqual(late, [])
}

test('once a host’s revocation is in the log, no token of it or its agents follows', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, operator)
  const agent = await createAgent(api, host, 'reader')
  const revoke = { reason: 'race' }
  const answers = await contend(async index => {
    if (index === contenders / 2)
      return await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, revoke)
    return await askForToken(api, index % 2 === 0 ? agent.key : host.key)
  })
  const counts = tally(answers)
  t.is((counts['200'] ?? 0) + (counts['401 host-revoked'] ?? 0), contenders, JSON.stringify(counts))
  await assertNothingAfter(t, api, [host.clientId, agent.clientId])
  for (const { key } of [host, agent])
    t.is((await askForToken(api, key)).json['code'], 'host-revoked')
})

async function renewAll(api: TestApi, operator: TestCaller, host: TestHost): Promise<TestAnswer[]> {
  const each = Array.from({ length: contenders }, async () => await renewalBody(api, host))
  const bodies = await Promise.all(each)
  return await contend(async index => {
    if (index === contenders / 2)
      return await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, { reason: 'race' })
    return await call(api, host, 'POST', `/v1/hosts/${host.id}/credentials`, bodies[index])
  })
}

test('once a host’s revocation is in the log, no certificate of it follows, and those before are revoked', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const answers = await renewAll(api, operator, host)
  const counts = tally(answers)
  const [issued = 0, refused = 0] = [counts['201'], counts['403 host-revoked']]
  t.is(issued + refused + 1, contenders, JSON.stringify(counts))
  await assertNothingAfter(t, api, [host.clientId])
  const revocation = answers.find(({ status }) => status === 200)
  t.true(Number(revocation?.json['certificates']) >= issued)
})

test('an agent that is rekeyed while it asks for tokens gets none with its old key afterwards', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api, await createOperator(api))
  const agent = await createAgent(api, host, 'reader')
  const { json } = await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)
  const { body } = agentEvidenceBody(host.tpm, agent.id, json as never)
  const answers = await contend(async index => {
    if (index === contenders / 2)
      return await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
    return await askForToken(api, agent.key)
  })
  t.is(tally(answers)['201'], 1)
  const lines = await verifyTestLog(api.service)
  const bound = lines.findLastIndex(({ type }) => type === 'agent.key-bound')
  const late = lines
    .slice(bound)
    .filter(({ detail }) => JSON.stringify(detail['cnf'] ?? '').includes(agent.key.jkt))
  t.deepEqual(late, [])
})
