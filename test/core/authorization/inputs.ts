import {
  noDetails,
  type AgentFacts,
  type Circumstances,
  type DecisionInput,
  type HostFacts,
  type OperatorFacts,
} from '../../../src/core/authorization/decision-input.ts'
import { Decider } from '../../../src/core/authorization/decide.ts'
import { AuthorizationPolicySet } from '../../../src/core/authorization/policy-set.ts'
import { testSchema } from '../../support/test-policies.ts'

export const noon: number = Date.UTC(2026, 10, 24, 12)

export const host: HostFacts = {
  kind: 'host',
  id: 'host-1',
  name: 'rack-4',
  assurance: 'tpm-discrete',
  manufacturer: 'id:49465800',
  firmware: '7.2',
  secureBoot: true,
  status: 'affirming',
  appraisedAt: noon - 600_000,
  labels: ['eu'],
  riskScore: 0,
}

export const agent: AgentFacts = {
  kind: 'agent',
  id: 'agent-1',
  class: {
    name: 'coder',
    owner: 'alice',
    environment: 'production',
    sensitivity: 'confidential',
    audiences: ['https://api.example'],
    scopes: ['read', 'write'],
    riskScore: 0,
  },
  host,
  riskScore: 0,
}

export const operator: OperatorFacts = {
  kind: 'operator',
  id: 'operator-1',
  name: 'alice',
  role: 'administrator',
  keyProtection: 'tpm',
  riskScore: 0,
}

const context: Circumstances = {
  time: noon,
  sourceAddress: '10.1.2.3',
  scopes: ['read'],
  lifetimeSeconds: 300,
  delegation: { depth: 0, initiator: 'spiffe://example.org/agent/coder/agent-1', actors: [] },
  details: noDetails,
  detailsDigest: null,
  approved: false,
}

/** A token asked for by an agent, where nothing else is said. */
export function inputOf(
  changes: Partial<Omit<DecisionInput, 'context'>> = {},
  around: Partial<Circumstances> = {},
): DecisionInput {
  return {
    action: 'issueToken',
    principal: agent,
    audience: 'https://api.example',
    ...changes,
    context: { ...context, ...around },
  }
}

/** A set of this text. */
export function setOf(text: string): AuthorizationPolicySet {
  return AuthorizationPolicySet.prepare(text, 1, testSchema)
}

export function deciderOf(text: string): Decider {
  return new Decider(setOf(text))
}

/** A policy with an id, of which only the rest matters. */
export function policy(id: string, body: string, annotations = ''): string {
  return `@id("${id}") ${annotations} ${body}\n`
}

export const permitAll: string = policy('all', 'permit (principal, action, resource);')
