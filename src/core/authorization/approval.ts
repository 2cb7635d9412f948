import type { Requestable } from './annotation.ts'
import type { Decider } from './decide.ts'
import type { DecisionInput } from './decision-input.ts'
import type { Answer } from './decision.ts'
import { mayReadApproval, type AuthorizationPolicy } from './policy.ts'

/** What an operator's approval would make of a denial. */
export interface Approvable {
  /** The same request, approved. */
  readonly input: DecisionInput
  /** What the policies say of that: it is allowed. */
  readonly answer: Answer
  readonly granted: NonNullable<Answer['granted']>
  /** How the strictest of the policies behind it lets an approval count. */
  readonly requestable: Requestable
  /** Ids of the policies that make the difference, sorted. */
  readonly policies: readonly string[]
}

/**
 * Whether a denial can be lifted by an approval: the same request is decided a second time as an approved one. It must be
 * permitted then, and every policy that makes the difference must be `@requestable`.
 *
 * @param denial what `decider` said of `input`
 * @returns undefined where an approval would change nothing, and of what failed: an approval mends no failure
 */
export function findApprovable(
  decider: Decider,
  input: DecisionInput,
  denial: Answer,
): Approvable | undefined {
  if (denial.outcome !== 'deny' || !decider.set.isRequestable) return undefined
  const approved = { ...input, context: { ...input.context, approved: true } }
  const answer = decider.decide(approved)
  const { granted } = answer
  if (granted === null) return undefined
  const deciding = new Set([...denial.policies, ...answer.policies])
  const differing = decider.set.policies.filter(
    policy => deciding.has(policy.id) && mayReadApproval(policy),
  )
  const requestable = strictestOf(differing)
  if (requestable === undefined) return undefined
  const policies = differing.map(({ id }) => id).sort()
  return { input: approved, answer, granted, requestable, policies }
}

/** Once is less than for minutes, and few minutes less than many. */
function strictestOf(policies: readonly AuthorizationPolicy[]): Requestable | undefined {
  const rows = policies.flatMap(({ requestable }) => requestable ?? [])
  if (rows.length < policies.length) return undefined
  const least = Math.min(...rows.map(({ minutes }) => minutes ?? 0))
  return { minutes: least === 0 ? null : least }
}
