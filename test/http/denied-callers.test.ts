import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { establishSet } from '../support/authorization-activation.ts'
import { compactJws } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  assertionOf,
  call,
  createOperator,
  postForm,
  proofOf,
  type TestCaller,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { starterPolicies } from '../support/test-policies.ts'
import { testIssuer } from '../support/test-service.ts'

const audience = 'https://api.example/'
const tokenCall = { method: 'POST', path: '/oauth/token' } as const
const introspection = '/oauth/introspect'

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly agent: TestAgent
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = { name: 'reader', audiences: [audience], scopes: ['read', 'write'], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', reader)
  return { api, operator, agent: await createAgent(api, host, 'reader', { resource: testIssuer }) }
}

async function establish({ api, operator }: Stage, ...policies: string[]): Promise<void> {
  await establishSet(api, operator, [starterPolicies, ...policies].join('\n'))
}

const noWrite =
  '@id("no-write") forbid (principal is Agent, action, resource) when { context.scopes.contains("write") };'
const noIntrospection =
  '@id("no-introspection") forbid (principal, action == Action::"actAsOperator", resource) when { context.scopes.contains("tokens:introspect") };'

function refused(t: ExecutionContext, answer: TestAnswer, error: string, code: string): void {
  t.like(answer.json, { error, code }, answer.text)
  t.is(answer.status, error === 'invalid_client' ? 401 : 400)
}

async function countDenials({ api }: Stage): Promise<number> {
  return (await verifyTestLog(api.service)).filter(({ type }) => type === 'authorization.denied')
    .length
}

/** Asks for a token by what authenticates in one way; each call makes new proofs. */
type Ask = (scope: string) => Promise<TestAnswer>
type Way = (stage: Stage) => Promise<Ask>

async function attest({ api, agent }: Stage): Promise<string> {
  const { json } = await call(api, agent, 'POST', '/v1/client-attestations', {})
  return String(json['clientAttestation'])
}

async function popOf({ api, agent }: Stage): Promise<string> {
  const { json } = await api.send({ method: 'POST', path: '/oauth/challenge' })
  const claims = {
    aud: testIssuer,
    jti: randomUUID(),
    iat: Math.floor(api.clock.now() / 1000),
    challenge: json['attestation_challenge'],
  }
  return compactJws({ typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }, claims, agent.key)
}

const form = (scope: string): Record<string, string> => {
  return { grant_type: 'client_credentials', resource: audience, scope }
}

const ways: Readonly<Record<string, { error: string; code: string; prepare: Way }>> = {
  'a DPoP proof': {
    error: 'invalid_dpop_proof',
    code: 'dpop-replayed',
    prepare: async ({ api, agent }) => {
      const proof = await proofOf(api, agent.key, tokenCall)
      return async scope => await postForm(api, tokenCall.path, form(scope), [['DPoP', proof]])
    },
  },
  'a client assertion': {
    error: 'invalid_client',
    code: 'assertion-replayed',
    prepare: async ({ api, agent }) => {
      const assertion = assertionOf(api, agent.key, agent.clientId)
      return async scope => await postForm(api, tokenCall.path, { ...form(scope), ...assertion })
    },
  },
  'the proof of a client attestation': {
    error: 'invalid_client_attestation',
    code: 'client-attestation-replayed',
    prepare: async stage => {
      const headers = [
        ['OAuth-Client-Attestation', await attest(stage)],
        ['OAuth-Client-Attestation-PoP', await popOf(stage)],
      ] as const
      return async scope => await postForm(stage.api, tokenCall.path, form(scope), headers)
    },
  },
}

for (const [name, { error, code, prepare }] of Object.entries(ways)) {
  test(`${name} that was denied is used up, and sent again writes nothing`, async t => {
    const stage = await begin(t)
    await establish(stage, noWrite)
    const denied = await prepare(stage)
    refused(t, await denied('write'), 'access_denied', 'authorization-denied')
    t.is(await countDenials(stage), 1)
    refused(t, await denied('write'), error, code)
    refused(t, await denied('read'), error, code)
    t.is(await countDenials(stage), 1)
    const permitted = await prepare(stage)
    t.is((await permitted('read')).status, 200)
  })
}

test('of a hundred times the same denied proof at once one is in the log', async t => {
  const stage = await begin(t)
  await establish(stage, noWrite)
  const denied = await ways['a DPoP proof']!.prepare(stage)
  const answers = await Promise.all(Array.from({ length: 100 }, async () => await denied('write')))
  const codes = answers.map(({ json }) => json['code'])
  t.is(codes.filter(code => code === 'authorization-denied').length, 1)
  t.is(codes.filter(code => code === 'dpop-replayed').length, 99)
  t.is(await countDenials(stage), 1)
})

test('an operator’s proof that was denied is used up, and sent again writes nothing', async t => {
  const stage = await begin(t)
  const { api } = stage
  const other = await createOperator(api)
  await establish(
    stage,
    `@id("not-her") forbid (principal == Operator::"${other.id}", action == Action::"actAsOperator", resource);`,
  )
  const ask = async ({ key, token }: TestCaller): Promise<() => Promise<TestAnswer>> => {
    const proof = await proofOf(api, key, { method: 'GET', path: '/v1/hosts', token })
    const headers = [
      ['Authorization', `DPoP ${token}`],
      ['DPoP', proof],
    ] as const
    return async () => await api.send({ method: 'GET', path: '/v1/hosts', headers })
  }
  const denied = await ask(other)
  t.like(await denied(), { status: 403, json: { code: 'authorization-denied' } })
  t.like(await denied(), { status: 401, json: { code: 'dpop-replayed' } })
  t.is(await countDenials(stage), 1)
  const permitted = await ask(stage.operator)
  t.is((await permitted()).status, 200)
})

test('whoever asks about tokens by client authentication needs a policy that permits it', async t => {
  const stage = await begin(t)
  const { api, agent } = stage
  const server = await createOperator(api, 'resource-server', [testIssuer])
  const asked = (): Record<string, string> => {
    return { ...assertionOf(api, server.key, server.clientId), token: agent.token }
  }
  const permitted = await postForm(api, introspection, asked())
  t.like(permitted.json, { active: true, sub: agent.clientId })
  await establish(stage, noIntrospection)
  const once = asked()
  const denied = await postForm(api, introspection, once)
  refused(t, denied, 'access_denied', 'authorization-denied')
  t.false('active' in denied.json)
  refused(t, await postForm(api, introspection, once), 'invalid_client', 'assertion-replayed')
  const lines = (await verifyTestLog(api.service)).filter(
    ({ type }) => type === 'authorization.denied',
  )
  t.is(lines.length, 1)
  t.like(lines[0], {
    actor: server.clientId,
    detail: {
      policies: ['no-introspection'],
      input: { action: 'actAsOperator', context: { scopes: ['tokens:introspect'] } },
    },
  })
})

test('asking by a proof at introspection is decided by the policies as well', async t => {
  const stage = await begin(t)
  const { api, agent, operator } = stage
  const ask = async (): Promise<() => Promise<TestAnswer>> => {
    const proof = await proofOf(api, operator.key, { method: 'POST', path: introspection })
    const body = { token: agent.token }
    return async () => await postForm(api, introspection, body, [['DPoP', proof]])
  }
  const permitted = await ask()
  t.like((await permitted()).json, { active: true })
  await establish(stage, noIntrospection)
  const denied = await ask()
  refused(t, await denied(), 'access_denied', 'authorization-denied')
  refused(t, await denied(), 'invalid_dpop_proof', 'dpop-replayed')
  t.is(await countDenials(stage), 1)
})

/** The same service, called from another address of this machine. */
function fromElsewhere(api: TestApi): TestApi {
  return { ...api, send: async request => await api.send({ ...request, from: '127.0.0.2' }) }
}

for (const [path, body] of [
  ['/v1/svids/jwt', { audience }],
  ['/v1/svids/wit', undefined],
  ['/v1/client-attestations', {}],
] as const) {
  test(`from an address that a policy forbids there is nothing at ${path}`, async t => {
    const stage = await begin(t)
    const { api, agent } = stage
    await establish(
      stage,
      `@id("not-from-there") forbid (principal, action == Action::"issueToken", resource)
        when { context has sourceAddress && context.sourceAddress.isInRange(ip("127.0.0.2/32")) };`,
    )
    t.is((await call(api, agent, 'POST', path, body)).status, 200)
    const denied = await call(fromElsewhere(api), agent, 'POST', path, body)
    t.like(denied, { status: 403, json: { code: 'authorization-denied', found: 'not-from-there' } })
    const lines = await verifyTestLog(api.service)
    t.like(lines.at(-1), {
      type: 'authorization.denied',
      detail: { input: { context: { sourceAddress: '127.0.0.2' } } },
    })
  })
}
