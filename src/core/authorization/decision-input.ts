import { createHash } from 'node:crypto'
import { encodeCanonicalJson } from '../log/canonical-json.ts'

/** What is decided on; names of the schema's actions. */
export const actions = [
  'enrol',
  'issueCertificate',
  'issueToken',
  'exchangeToken',
  'actAsOperator',
] as const

export type Action = (typeof actions)[number]

/** A host by its verified claims and what operators wrote down of it. Null is what nobody could show. */
export interface HostFacts {
  readonly kind: 'host'
  readonly id: string
  readonly name: string
  readonly assurance: string
  readonly manufacturer: string | null
  readonly firmware: string | null
  readonly secureBoot: boolean | null
  readonly status: string
  /** Unix milliseconds. */
  readonly appraisedAt: number
  readonly labels: readonly string[]
  readonly riskScore: number
}

/** A class as an operator registered it. */
export interface ClassFacts {
  readonly name: string
  readonly owner: string | null
  readonly environment: string
  readonly sensitivity: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly riskScore: number
}

export interface AgentFacts {
  readonly kind: 'agent'
  readonly id: string
  readonly class: ClassFacts
  readonly host: HostFacts
  readonly riskScore: number
}

export interface OperatorFacts {
  readonly kind: 'operator'
  readonly id: string
  readonly name: string
  readonly role: string
  readonly keyProtection: string
  readonly riskScore: number
}

export type PrincipalFacts = HostFacts | AgentFacts | OperatorFacts

/** All values of the common members of authorization details (RFC 9396 §2.2), each once and in order. */
export interface DetailFacts {
  readonly types: readonly string[]
  readonly actions: readonly string[]
  readonly locations: readonly string[]
  readonly datatypes: readonly string[]
  readonly identifiers: readonly string[]
  readonly privileges: readonly string[]
}

/** Around the request. */
export interface Circumstances {
  /** Unix milliseconds of a whole second. */
  readonly time: number
  /** IPv4 or IPv6; null for what the service does by itself. */
  readonly sourceAddress: string | null
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
  /** SPIFFE IDs. */
  readonly delegation: {
    readonly depth: number
    readonly initiator: string
    readonly actors: readonly string[]
  }
  readonly details: DetailFacts
  /** base64url SHA-256 of the authorization details as they came; null where there were none. */
  readonly detailsDigest: string | null
  readonly approved: boolean
}

/** Everything that a decision is made of, as it is kept in the log. */
export interface DecisionInput {
  readonly action: Action
  readonly principal: PrincipalFacts
  /** Of the resource. */
  readonly audience: string
  readonly context: Circumstances
}

/** No authorization details. */
export const noDetails: DetailFacts = {
  types: [],
  actions: [],
  locations: [],
  datatypes: [],
  identifiers: [],
  privileges: [],
}

const encodedFacts = new WeakMap<PrincipalFacts, string>()

/** Canonical JSON of the principal; remembered for as long as the same value is used. */
export function encodePrincipal(principal: PrincipalFacts): string {
  let text = encodedFacts.get(principal)
  if (text === undefined) {
    text = encodeCanonicalJson(principal)
    encodedFacts.set(principal, text)
  }
  return text
}

/**
 * An input in its one form: canonical JSON.
 *
 * @throws LogError `entry-unencodable` for a fraction, a lone surrogate, or what else no input holds
 */
export function encodeDecisionInput({
  action,
  principal,
  audience,
  context,
}: DecisionInput): string {
  const [what, where, around] = [action, audience, context].map(encodeCanonicalJson)
  return `{"action":${what},"audience":${where},"context":${around},"principal":${encodePrincipal(principal)}}`
}

/** base64url SHA-256 of {@link encodeDecisionInput}: how a decision is named. */
export function decisionDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
