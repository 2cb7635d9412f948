import type { LoggedAct } from '../log/audit-entry.ts'
import { decisionDigest, encodeDecisionInput, type DecisionInput } from './decision-input.ts'
import type { Decider } from './decide.ts'
import type { Answer } from './decision.ts'

/** A decision as the log keeps it: everything that it takes to make it again. */
export interface DecisionRecord {
  /** Version of the policy set. */
  readonly set: number
  /** base64url SHA-256 of the input, canonical. */
  readonly decision: string
  readonly outcome: Answer['outcome']
  /** Ids of the policies that decided. */
  readonly policies: readonly string[]
  readonly input: DecisionInput
  /** Id of the grant request that was approved, where `context.approved` is true. */
  readonly grant?: string
}

/** A decision made again. */
export interface ReplayedDecision {
  readonly answer: Answer
  /** Whether input, outcome and policies are what the record says. */
  readonly isSame: boolean
}

/** The decisions that an entry of the log records: of a token for several audiences one each. */
export function decisionsOf({
  type,
  detail,
}: Pick<LoggedAct, 'type' | 'detail'>): DecisionRecord[] {
  const recorded = type.startsWith('authorization.') ? detail : detail['authorization']
  const records = (Array.isArray(recorded) ? recorded : [recorded]) as (
    DecisionRecord | undefined
  )[]
  return records.filter(record => record?.input !== undefined) as DecisionRecord[]
}

/** Makes a record of an answer. Throws LogError `entry-unencodable` for an input that no log can hold. */
export function recordDecision(
  version: number,
  input: DecisionInput,
  { outcome, policies }: Answer,
  grant?: string,
): DecisionRecord {
  const decision = decisionDigest(encodeDecisionInput(input))
  const record = { set: version, decision, outcome, policies, input }
  return grant === undefined ? record : { ...record, grant }
}

/**
 * Makes a recorded decision again from its input alone, under the set that the record names.
 *
 * @param decider of that set
 */
export function replayDecision(decider: Decider, record: DecisionRecord): ReplayedDecision {
  const answer = decider.decide(record.input)
  const again = recordDecision(decider.set.version, record.input, answer)
  const isSame =
    again.set === record.set &&
    again.decision === record.decision &&
    again.outcome === record.outcome &&
    again.policies.join(' ') === record.policies.join(' ')
  return { answer, isSame }
}
