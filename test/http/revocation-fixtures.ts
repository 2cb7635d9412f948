import { createHash } from 'node:crypto'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import { serialOf } from './certificate-fixtures.ts'

export const audience = 'https://api.example/'

/** A host with an agent, of a maker, with firmware, in a class: no two of them share any of it. */
export interface Party {
  readonly host: TestHost
  readonly agent: TestAgent
  /** For `audience`: of the host, and of its agent. */
  readonly tokens: { readonly host: string; readonly agent: string }
  readonly serials: { readonly host: string; readonly agent: string }
  readonly anchor: string
}

/** What is taken back, and somebody beside. */
export interface Parties {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly target: Party
  readonly other: Party
}

/** Every kind of target that takes more than itself, as the API names it, and whether the host falls or its agent alone. */
export const kinds: readonly {
  readonly kind: string
  /** For the name of a test. */
  readonly label: string
  readonly isHosts: boolean
  /** With which code the fallen are told so afterwards. */
  readonly code: string
  readonly reasonCode: string
  readonly target: (party: Party, api: TestApi) => Promise<Record<string, unknown>>
}[] = [
  {
    kind: 'host',
    label: 'a host',
    isHosts: true,
    code: 'host-revoked',
    reasonCode: 'unspecified',
    target: async ({ host }) => await Promise.resolve({ id: host.id }),
  },
  {
    kind: 'agent',
    label: 'an agent',
    isHosts: false,
    code: 'agent-revoked',
    reasonCode: 'unspecified',
    target: async ({ agent }) => await Promise.resolve({ id: agent.id }),
  },
  {
    kind: 'class',
    label: 'a class',
    isHosts: false,
    code: 'agent-revoked',
    reasonCode: 'privilegeWithdrawn',
    target: async () => await Promise.resolve({ name: 'target' }),
  },
  {
    kind: 'endorsement',
    label: 'an endorsement key',
    isHosts: true,
    code: 'host-revoked',
    reasonCode: 'keyCompromise',
    target: async ({ host }, { service }) => ({
      id: (await service.store.hosts.find(host.id))?.endorsementId,
    }),
  },
  {
    kind: 'anchor',
    label: 'what a manufacturer’s certificate vouches for',
    isHosts: true,
    code: 'host-revoked',
    reasonCode: 'cACompromise',
    target: async ({ anchor }) => await Promise.resolve({ fingerprint: anchor }),
  },
  {
    kind: 'firmware',
    label: 'what runs a range of firmware',
    isHosts: true,
    code: 'host-revoked',
    reasonCode: 'keyCompromise',
    target: async () =>
      await Promise.resolve({ vendor: 'id:00001014', from: '8217.4131', to: '8217.4131' }),
  },
]

/** Two parties at one service. */
export async function beginParties(t: Parameters<typeof startTestApi>[0]): Promise<Parties> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const target = await createParty(api, operator, 'target', 0x2019_1023_0016_3636n)
  const other = await createParty(api, operator, 'other', 0x2019_1024_0000_0000n)
  return { api, operator, target, other }
}

async function createParty(
  api: TestApi,
  operator: TestCaller,
  name: string,
  firmwareVersion: bigint,
): Promise<Party> {
  const manufacturer = await admitManufacturer(api)
  const tpm = Object.assign(new EmulatedTpm({ manufacturer }), { firmwareVersion })
  const host = await enrollHost(api, manufacturer, { tpm, name })
  const form = { name, audiences: [audience], scopes: [], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', form)
  const agent = await createAgent(api, host, name)
  return {
    host,
    agent,
    tokens: { host: host.token, agent: await fetchToken(api, agent.key, { resource: audience }) },
    serials: {
      host: serialIn(host.enrolled.json),
      agent: serialIn(agent.issued.json),
    },
    anchor: createHash('sha256').update(manufacturer.root.certificate).digest('hex'),
  }
}

function serialIn(json: Readonly<Record<string, unknown>>): string {
  const [leaf = ''] = json['certificateChain'] as string[]
  return serialOf(leaf)
}
