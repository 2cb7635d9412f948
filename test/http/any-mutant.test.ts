import test from 'ava'
import * as fc from 'fast-check'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { endpoints } from '../../src/http/app.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, proofOf, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  askForChallenge,
  createAgent,
  enrollHost,
  enrollmentBody,
  evidenceBody,
  postJson,
  type TestHost,
} from '../support/test-host.ts'
import { assertSane } from './assert-sane.ts'

test('nothing that a key holder writes into a proof makes the service fail', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ toString: 1, valueOf: 1 }, 1e300, -1e300, '\u0000', 'x'.repeat(300)),
  )
  const payloads = fc.dictionary(
    fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce'),
    value,
    { maxKeys: 2 },
  )
  const heads = fc.dictionary(fc.constantFrom('typ', 'alg', 'jwk', 'kid', 'crit'), value, {
    maxKeys: 1,
  })
  await fc.assert(
    fc.asyncProperty(payloads, heads, async (payload, header) => {
      const path = '/v1/hosts'
      const wanted = { method: 'GET', path, token: operator.token }
      const proof = await proofOf(api, operator.key, wanted, { payload, header })
      const answer = await api.send({
        method: 'GET',
        path,
        headers: [
          ['Authorization', `DPoP ${operator.token}`],
          ['DPoP', proof],
        ],
      })
      assertSane(t, api, answer, { payload, header })
    }),
    { numRuns: 150 },
  )
})

/** One member anywhere in a value replaced by another value, or one text of it changed in one place. */
function mutate(value: unknown, steps: readonly number[], replacement: unknown): unknown {
  const [step = 0, ...rest] = steps
  if (typeof value !== 'object' || value === null || steps.length === 0)
    return typeof value === 'string' && typeof replacement === 'number'
      ? value.slice(0, replacement % (value.length + 1)) +
          'A' +
          value.slice((replacement % (value.length + 1)) + 1)
      : replacement
  const keys = Object.keys(value)
  const key = keys[step % Math.max(1, keys.length)] ?? 'added'
  const part = (value as Record<string, unknown>)[key]
  const changed = mutate(part, rest, replacement)
  return Array.isArray(value)
    ? value.map((old, i) => (String(i) === key ? changed : old))
    : { ...value, [key]: changed }
}

const mutation = fc.tuple(
  fc.array(fc.nat(7), { minLength: 1, maxLength: 5 }),
  fc.oneof(fc.nat(2_000), fc.nat(2_000), fc.jsonValue(), fc.constantFrom('', 'AA', '__proto__')),
)

test('no mutant of a well-formed body makes an operator’s call fail', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const bodies: Readonly<Record<string, unknown>> = {
    '/v1/anchors': {
      certificate: encodeBase64url(manufacturer.root.certificate),
      name: 'emulated',
      vendor: manufacturer.vendor,
      assurance: 'emulated',
    },
    '/v1/classes': {
      name: 'reader',
      audiences: ['https://a.example/'],
      scopes: ['read'],
      hosts: ['*'],
      tokenLifetimeSeconds: 60,
    },
    '/v1/operators': {
      name: 'ada',
      role: 'auditor',
      keyProtection: 'file',
      jwk: createTestKey().jwk,
    },
    '/v1/hosts/some-id/revoke': { reason: 'x' },
    '/v1/agents/some-id/revoke': { reason: 'x' },
    '/v1/operators/some-id/revoke': { reason: 'x' },
  }
  const operations = endpoints.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v1/'),
  )
  t.true(operations.length > 10)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(bodies)),
      mutation,
      async (path, [steps, replacement]) => {
        const changed = mutate(bodies[path], steps, replacement)
        assertSane(t, api, await call(api, operator, 'POST', path, changed), { path, changed })
      },
    ),
    { numRuns: 250 },
  )
})

test('no mutant of genuine evidence is let in or makes an enrolment fail', async t => {
  const api = await startTestApi(t)
  const tpm = new EmulatedTpm({ manufacturer: await admitManufacturer(api) })
  await fc.assert(
    fc.asyncProperty(mutation, fc.boolean(), async ([steps, replacement], isFirst) => {
      if (isFirst) {
        const first = mutate(enrollmentBody(tpm), steps, replacement)
        return assertSane(t, api, await postJson(api, '/v1/enrollments', first), first)
      }
      const challenge = await askForChallenge(api, tpm)
      const whole = evidenceBody(tpm, challenge).body
      const changed = mutate(whole, steps, replacement)
      const answer = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, changed)
      assertSane(t, api, answer, changed)
      if (JSON.stringify(changed) !== JSON.stringify(whole)) t.not(answer.status, 201, answer.text)
    }),
    { numRuns: 120 },
  )
})

async function registerReader(api: TestApi): Promise<void> {
  const reader = {
    name: 'reader',
    audiences: ['https://a.example/'],
    scopes: [],
    hosts: ['*'],
    tokenLifetimeSeconds: 60,
  }
  await call(api, await createOperator(api), 'POST', '/v1/classes', reader)
}

async function proveMutant(
  api: TestApi,
  host: TestHost,
  agent: TestCaller & { id: string },
  change: readonly [readonly number[], unknown],
): Promise<[unknown, TestAnswer]> {
  const challenge = (await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)).json
  const { body: whole } = agentEvidenceBody(host.tpm, agent.id, challenge as never)
  const changed = mutate(whole, ...change)
  return [changed, await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, changed)]
}

test('no mutant of a proof of an agent’s key makes its host’s call fail', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  await registerReader(api)
  const agent = await createAgent(api, host, 'reader')
  await fc.assert(
    fc.asyncProperty(mutation, async change => {
      const [changed, answer] = await proveMutant(api, host, agent, change)
      assertSane(t, api, answer, changed)
    }),
    { numRuns: 80 },
  )
})
