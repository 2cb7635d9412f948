import {
  formatPolicies,
  policySetTextToParts,
  validate,
  type ValidationError,
} from '@cedar-policy/cedar-wasm/nodejs'
import { createHash } from 'node:crypto'
import { splitFlat } from './text-shape.ts'
import { AuthorizationError } from './error.ts'
import { readPolicy, type AuthorizationPolicy } from './policy.ts'
import { messageOf, type AuthorizationSchema } from './schema.ts'

const maxLength = 1024 * 1024
const maxPolicies = 5_000

/** Policies that hold together under the schema: only such ones decide. */
export class AuthorizationPolicySet {
  /** As it was proposed: what the digest is over. */
  readonly text: string
  /** `sha256:` and the hex digest of `text`. */
  readonly id: string
  /** Its number at this service; 0 for a draft. */
  readonly version: number
  readonly schema: AuthorizationSchema
  readonly policies: readonly AuthorizationPolicy[]
  /** Whether an approval can change anything at all. */
  readonly isRequestable: boolean

  private constructor(
    text: string,
    version: number,
    schema: AuthorizationSchema,
    policies: readonly AuthorizationPolicy[],
  ) {
    this.text = text
    this.id = `sha256:${createHash('sha256').update(text).digest('hex')}`
    this.version = version
    this.schema = schema
    this.policies = policies
    this.isRequestable = policies.some(({ requestable }) => requestable !== null)
  }

  /**
   * Reads, lints and strictly validates a set. An empty one is a set: it denies everything.
   *
   * @throws AuthorizationError `authorization-…`, naming the policy
   */
  static prepare(
    text: string,
    version: number,
    schema: AuthorizationSchema,
  ): AuthorizationPolicySet {
    const policies = partsOf(text).map(part => readPolicy(part, schema))
    requireDistinct(policies)
    requireValid(policies, schema)
    return new AuthorizationPolicySet(text, version, schema, policies)
  }
}

/**
 * The one form of a text of policies: formatted, comments kept.
 *
 * @throws AuthorizationError `authorization-syntax`, `authorization-size`
 */
export function canonicalPolicies(text: string): string {
  return `${splitBounded(text).map(formatPolicy).join('\n\n')}\n`
}

/** One at a time, since the formatter takes the square of the time for a longer text. */
function formatPolicy(policyText: string): string {
  const answer = formatPolicies({ policyText, lineWidth: 100, indentWidth: 2 })
  if (answer.type === 'failure')
    throw new AuthorizationError('authorization-syntax', { found: messageOf(answer.errors) })
  return answer.formatted_policy.trim()
}

function splitBounded(text: string): string[] {
  if (text.length > maxLength)
    throw new AuthorizationError('authorization-size', { found: `${text.length} characters` })
  return splitFlat(text)
}

function partsOf(text: string): string[] {
  splitBounded(text)
  const answer = policySetTextToParts(text)
  if (answer.type === 'failure')
    throw new AuthorizationError('authorization-syntax', { found: messageOf(answer.errors) })
  const [template] = answer.policy_templates
  if (template !== undefined)
    throw new AuthorizationError('authorization-template', { found: template.slice(0, 200) })
  if (answer.policies.length > maxPolicies)
    throw new AuthorizationError('authorization-size', {
      found: `${answer.policies.length} policies`,
    })
  return answer.policies
}

function requireDistinct(policies: readonly AuthorizationPolicy[]): void {
  const seen = new Set<string>()
  for (const { id } of policies) {
    if (seen.has(id)) throw new AuthorizationError('authorization-id', { found: `${id}, twice` })
    seen.add(id)
  }
}

/** Warnings count as errors: a policy that can never apply, or that reads otherwise than it looks, is none. */
function requireValid(policies: readonly AuthorizationPolicy[], schema: AuthorizationSchema): void {
  const answer = validate({
    schema: schema.text,
    policies: { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) },
    validationSettings: { mode: 'strict' },
  })
  if (answer.type === 'failure')
    throw new AuthorizationError('authorization-validation', { found: messageOf(answer.errors) })
  const [finding] = [...answer.validationErrors, ...answer.validationWarnings]
  if (finding !== undefined)
    throw new AuthorizationError('authorization-validation', { found: findingText(finding) })
}

function findingText({ policyId, error }: ValidationError): string {
  return `${policyId}: ${messageOf([error])}`
}
