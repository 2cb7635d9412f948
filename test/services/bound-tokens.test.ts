import { createHash, X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { CodedError } from '../../src/core/coded-error.ts'
import { OAuthError } from '../../src/core/token/oauth-error.ts'
import {
  admitRequest,
  proveRequest,
  type ProvenRequest,
} from '../../src/services/resource-access.ts'
import { revoke } from '../../src/services/revocation.ts'
import { issueToken } from '../../src/services/tokens.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import {
  askForToken,
  call,
  createOperator,
  exchangeToken,
  type TestCaller,
} from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'
import { introspect, statusOf } from '../support/token-standing.ts'

const audience = 'https://api.example/'
const contenders = 100

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  /** Has tokens that are bound to its certificate. */
  readonly first: TestAgent
  readonly second: TestAgent
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = { name: 'reader', audiences: [audience], scopes: ['read'], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', reader)
  const [first, second] = [
    await createAgent(api, host, 'reader'),
    await createAgent(api, host, 'reader'),
  ]
  return { api, operator, first, second }
}

function certificateOf({ issued }: TestAgent): { thumbprint: string; serial: string } {
  const leaf = new X509Certificate((issued.json['certificateChain'] as string[])[0] ?? '')
  const thumbprint = createHash('sha256').update(leaf.raw).digest('base64url')
  return { thumbprint, serial: String(issued.json['serial']) }
}

/** A token by the agent’s certificate, as the handshake of a connection would prove it. */
async function boundToken(
  { api, first }: Stage,
  resource: string,
  form: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await issueToken(api.service, {
    method: 'POST',
    url: `${testIssuer}/oauth/token`,
    form: { grant_type: 'client_credentials', ...form },
    resources: [resource],
    dpop: undefined,
    certificateThumbprint: certificateOf(first).thumbprint,
  })
  return answer.access_token
}

async function prove({ api, first }: Stage, token: string): Promise<ProvenRequest> {
  return await proveRequest(api.service, 'credentials:issue', {
    method: 'POST',
    url: `${testIssuer}/v1/svids/wit`,
    authorization: `Bearer ${token}`,
    dpop: undefined,
    certificateThumbprint: certificateOf(first).thumbprint,
  })
}

async function revokeCertificate({ api, first }: Stage): Promise<void> {
  const target = { kind: 'certificate', serial: certificateOf(first).serial } as const
  await revoke(api.service, 'service', target, { text: 'lost' })
}

async function exchange({ api, second }: Stage, token: string): Promise<TestAnswer> {
  return await exchangeToken(api, second.key, token)
}

/** The code of what a promise is refused for. */
async function codeOf(outcome: Promise<unknown>): Promise<string> {
  try {
    await outcome
    return 'done'
  } catch (cause) {
    if (cause instanceof CodedError) return cause.code
    throw cause
  }
}

test('a request proven by a certificate that is revoked before it is let in is not let in', async t => {
  const stage = await begin(t)
  const { api } = stage
  const token = await boundToken(stage, testIssuer)
  const proven = await prove(stage, token)
  t.is((await admitRequest(api.service, proven)).id, stage.first.clientId)
  await revokeCertificate(stage)
  t.is(await codeOf(admitRequest(api.service, proven)), 'certificate-unknown')
  t.is(await codeOf(prove(stage, token)), 'certificate-unknown')
  t.is(await statusOf(api, token), 1)
  t.is((await call(api, stage.second, 'GET', '/v1/bundle')).status, 200)
})

test('of a hundred requests beside the revocation of their certificate none counts afterwards', async t => {
  const stage = await begin(t)
  const { api } = stage
  const proven = await prove(stage, await boundToken(stage, testIssuer))
  const order: string[] = []
  const ask = async (): Promise<number> =>
    order.push(await codeOf(admitRequest(api.service, proven)))
  await Promise.all(
    Array.from({ length: contenders }, async (_, n) => {
      await ask()
      if (n === contenders / 2) {
        await revokeCertificate(stage)
        order.push('revocation')
      }
      await ask()
    }),
  )
  const at = order.indexOf('revocation')
  t.true(at > 0)
  t.deepEqual(new Set(order.slice(0, at)), new Set(['done']))
  t.deepEqual(new Set(order.slice(at + 1)), new Set(['certificate-unknown']))
  t.is(order.length, 2 * contenders + 1)
})

test('a token bound to a revoked certificate is not exchanged, and what came of it falls', async t => {
  const stage = await begin(t)
  const { api, operator, second } = stage
  const subject = await boundToken(stage, audience, { may_act: second.clientId })
  const good = await exchange(stage, subject)
  t.is(good.status, 200, good.text)
  const token = String(good.json['access_token'])
  t.is((await introspect(api, operator, token)).json['active'], true)
  t.is(await statusOf(api, token), 0)
  await revokeCertificate(stage)
  const refused = await exchange(stage, subject)
  t.like(refused, { status: 400, json: { error: 'invalid_request', code: 'token-inactive' } })
  t.deepEqual((await introspect(api, operator, token)).json, { active: false })
  t.is(await statusOf(api, token), 1)
  t.is((await askForToken(api, second.key, { resource: audience })).status, 200)
})

test('of a hundred exchanges beside the revocation of the parent’s certificate none counts afterwards', async t => {
  const stage = await begin(t)
  const { api, operator, second } = stage
  const subject = await boundToken(stage, audience, { may_act: second.clientId })
  t.is((await exchange(stage, subject)).status, 200)
  const answers = await Promise.all(
    Array.from({ length: contenders }, async (_, n) => {
      if (n === contenders / 2) await revokeCertificate(stage)
      return await exchange(stage, subject)
    }),
  )
  for (const { status, json } of answers) {
    if (status !== 200) t.is(json['code'], 'token-inactive')
    else {
      const token = String(json['access_token'])
      t.deepEqual((await introspect(api, operator, token)).json, { active: false })
      t.is(await statusOf(api, token), 1)
    }
  }
  const types = (await verifyTestLog(api.service)).map(({ type }) => type)
  t.true(types.lastIndexOf('token.exchanged') < types.indexOf('certificate.revoked'))
})

test('a token asked for by a certificate that is revoked meanwhile is not issued', async t => {
  const stage = await begin(t)
  const { api } = stage
  const answers = await Promise.all(
    Array.from({ length: contenders }, async (_, n) => {
      if (n === contenders / 2) await revokeCertificate(stage)
      return await boundToken(stage, audience).catch((cause: unknown) => cause)
    }),
  )
  t.true(answers.some(answer => answer instanceof OAuthError))
  for (const answer of answers)
    if (typeof answer === 'string') t.is(await statusOf(api, answer), 1)
    else t.like(answer, { error: 'invalid_client', reason: { code: 'certificate-unknown' } })
  const lines = await verifyTestLog(api.service)
  const revoked = lines.findIndex(({ type }) => type === 'certificate.revoked')
  const late = lines.slice(revoked).filter(({ type }) => type === 'token.issued')
  t.deepEqual(late, [])
})
