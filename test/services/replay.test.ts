import { randomUUID } from 'node:crypto'
import test from 'ava'
import { CodedError } from '../../src/core/coded-error.ts'
import { createChallenge } from '../../src/core/token/nonce.ts'
import { OAuthError } from '../../src/core/token/oauth-error.ts'
import { ProofKeys } from '../../src/core/token/proof-key.ts'
import { AuthorizationDirectory } from '../../src/services/authorization-directory.ts'
import { ClientDirectory } from '../../src/services/client-directory.ts'
import { admitRequest, proveRequest } from '../../src/services/resource-access.ts'
import type { Service } from '../../src/services/service.ts'
import { issueToken } from '../../src/services/tokens.ts'
import { compactJws } from '../support/compact-jws.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { assertionOf, call, createOperator, proofOf } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { starterPolicies, testSchema } from '../support/test-policies.ts'
import { testIssuer } from '../support/test-service.ts'

const url = `${testIssuer}/oauth/token`
const grant = { grant_type: 'client_credentials' }
const basis = { method: 'POST', url, dpop: undefined, certificateThumbprint: undefined } as const

/** Another node of the service: its own memory, the same store and secrets. */
function anotherNode(service: Service): Service {
  const { store, clock } = service
  const policies = { store, clock, schema: testSchema, starter: starterPolicies }
  return {
    ...service,
    clients: new ClientDirectory(store.clients),
    authorization: new AuthorizationDirectory(policies),
    proofKeys: new ProofKeys(100),
  }
}

/** What counts once: how it is shown, and what is said when it is shown again. */
interface Once {
  readonly name: string
  readonly replayed: string
  readonly show: (service: Service) => Promise<unknown>
}

async function preparedBy(api: TestApi, agent: TestAgent): Promise<Once[]> {
  const { key, clientId } = agent
  const attested = await call(api, agent, 'POST', '/v1/client-attestations', {})
  const attestation = String(attested.json['clientAttestation'])
  const proof = async (): Promise<string> =>
    await proofOf(api, key, { method: 'POST', path: '/oauth/token' })
  const [alone, beside] = [await proof(), await proof()]
  const { service, clock } = api
  const challenge = createChallenge(service.nonceKey, clock.now())
  const iat = Math.floor(clock.now() / 1000)
  const attestationPop = compactJws(
    { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' },
    { aud: testIssuer, jti: randomUUID(), iat, challenge },
    key,
  )
  const form = { ...grant, ...assertionOf(api, key, clientId) }
  const resource = { method: 'POST', path: '/v1/svids/wit', token: agent.token }
  const request = {
    ...basis,
    url: `${testIssuer}${resource.path}`,
    authorization: `DPoP ${agent.token}`,
    dpop: await proofOf(api, key, resource),
  }
  const ask =
    (shown: object): Once['show'] =>
    async node =>
      await issueToken(node, { ...basis, form: grant, ...shown })
  return [
    { name: 'a proof', replayed: 'dpop-replayed', show: ask({ dpop: alone }) },
    {
      name: 'the proof of the combined mode',
      replayed: 'dpop-replayed',
      show: ask({ dpop: beside, attestation }),
    },
    {
      name: 'the proof of an attestation',
      replayed: 'client-attestation-replayed',
      show: ask({ attestation, attestationPop }),
    },
    { name: 'an assertion', replayed: 'assertion-replayed', show: ask({ form }) },
    {
      name: 'the proof of a call',
      replayed: 'dpop-replayed',
      show: async node =>
        await admitRequest(node, await proveRequest(node, 'credentials:issue', request)),
    },
  ]
}

/** Shows it so many times, a hundred at once; gives how often each answer came. */
async function replay(node: Service, { show }: Once, times: number): Promise<Map<string, number>> {
  const answers = new Map<string, number>()
  for (let done = 0; done < times; done += 100)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const answer = await show(node).then(() => 'accepted', codeOf)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }),
    )
  return answers
}

function codeOf(error: unknown): string {
  if (error instanceof OAuthError) return error.reason?.code ?? error.error
  return error instanceof CodedError ? error.code : String(error)
}

test('of ten thousand replays at each of two nodes none is accepted, whatever is replayed', async t => {
  t.timeout(300_000)
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
  })
  const agent = await createAgent(api, host, 'reader', { resource: testIssuer })
  const nodes = [api.service, anotherNode(api.service)]
  const kinds = await preparedBy(api, agent)
  for (const [index, once] of kinds.entries()) {
    // Whichever node sees it first, the other refuses it as well.
    await t.notThrowsAsync(once.show(nodes[index % 2] as Service), once.name)
    for (const node of nodes)
      t.deepEqual([...(await replay(node, once, 2_000))], [[once.replayed, 2_000]], once.name)
  }
})

test('of a hundred that show the same at once at two nodes, one is let in', async t => {
  const api = await startTestApi(t)
  const { key, clientId } = await createOperator(api)
  const form = { ...grant, ...assertionOf(api, key, clientId) }
  const nodes = [api.service, anotherNode(api.service)]
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_none, index) =>
      issueToken(nodes[index % 2] as Service, { ...basis, form }).then(() => 'accepted', codeOf),
    ),
  )
  t.is(answers.filter(answer => answer === 'accepted').length, 1)
  t.is(answers.filter(answer => answer === 'assertion-replayed').length, 99)
})
