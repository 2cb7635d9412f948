import { printable } from '../attester/remote-error.ts'
import type { Approvable } from '../core/authorization/approval.ts'
import type { Decider } from '../core/authorization/decide.ts'
import type { DecisionRecord, ReplayedDecision } from '../core/authorization/replay.ts'
import type { LoggedAct } from '../core/log/audit-entry.ts'
import type { CommandAnswer } from './command.ts'
import { cellOf } from './records.ts'
import { renderFacts, renderTime } from './table.ts'

/** A decision with its place in the log, and the approval before it that it rests on. */
export interface LoggedDecision {
  readonly index: number
  readonly act: LoggedAct
  readonly record: DecisionRecord
  readonly approval: LoggedAct | undefined
}

/** A decision made again here. */
export interface Replayed extends ReplayedDecision {
  readonly decider: Decider
  /** What an operator's approval would make of a denial. */
  readonly approvable: Approvable | undefined
}

/** Whether a decision was taken for approved exactly where the log has the approval of that before it. */
export function isBacked(
  { input, grant }: DecisionRecord,
  approval: LoggedDecision['approval'],
): boolean {
  if (!input.context.approved) return grant === undefined
  const { agentId, action, audience, scopes, detailsDigest } = approval?.detail ?? {}
  return (
    agentId === input.principal.id &&
    action === input.action &&
    audience === input.audience &&
    JSON.stringify(scopes) === JSON.stringify([...input.context.scopes].sort()) &&
    detailsDigest === input.context.detailsDigest
  )
}

/** Which policies decided and why, what of, and who approved it or could. */
export function explainDecision(decision: LoggedDecision, replayed: Replayed): CommandAnswer {
  const { index, act, record, approval } = decision
  const { answer, isSame, decider, approvable } = replayed
  const policies = decider.set.policies.filter(({ id }) => record.policies.includes(id))
  const shown = policies.map(({ id, effect, description, text }) => ({
    id,
    effect,
    description,
    text,
  }))
  const requestable = approvable === undefined ? null : requestableOf(act, approvable)
  const approvedBy = approval === undefined ? null : { by: approval.actor, ...approval.detail }
  const made = { recomputed: answer, isSame, policies: shown, requestable, approval: approvedBy }
  return {
    json: { index, type: act.type, ...record, ...made },
    isFailure: !isSame,
    lines: [
      headline(record, isSame),
      ...factLines(decision, replayed),
      ...policies.flatMap(policyLines),
      ...inputLines(record),
    ],
  }
}

function requestableOf(act: LoggedAct, { requestable, policies }: Approvable) {
  return { ...requestable, policies, grantRequest: act.detail['grantRequest'] ?? null }
}

function headline({ outcome }: DecisionRecord, isSame: boolean): string {
  const word = outcome === 'allow' ? 'Permitted' : 'Refused'
  return isSame
    ? `${word}, and once more so from the log alone.`
    : `${word}. Made again it comes out otherwise.`
}

function factLines(
  { index, act, record, approval }: LoggedDecision,
  { answer, approvable }: Replayed,
): string[] {
  const { action, principal, audience, context } = record.input
  return renderFacts([
    ['decision', record.decision],
    ['entry', `${index} ${act.type}`],
    ['time', renderTime(context.time)],
    ['who', `${principal.kind} ${principal.id}`],
    ['what', `${action} for ${audience} ${context.scopes.join(' ')}`.trimEnd()],
    ['from', context.sourceAddress ?? undefined],
    ['policy set', `version ${record.set}`],
    ['decided by', record.policies.join(', ') || 'no policy: nothing permits it'],
    ['failure', answer.errors.join('; ') || undefined],
    ['requestable', approvable && requestableText(act, approvable)],
    ['grant', record.grant],
    ['approved by', approval?.actor],
    ['reason', approval && cellOf(approval.detail, 'reason')],
  ])
}

function requestableText(act: LoggedAct, { requestable, policies }: Approvable): string {
  const longest = requestable.minutes === null ? '' : ` or up to ${requestable.minutes} minutes`
  const request = cellOf(act.detail, 'grantRequest')
  const opened = request === '' ? '' : `: assay grant approve ${request}`
  return `once${longest}, by ${policies.join(', ')}${opened}`
}

function policyLines({ text, description }: Decider['set']['policies'][number]): string[] {
  return [
    '',
    ...(description === null ? [] : [printable(`  // ${description}`)]),
    ...text.split('\n').map(line => `  ${printable(line)}`),
  ]
}

function inputLines({ input: { principal, context } }: DecisionRecord): string[] {
  const lines = JSON.stringify({ principal, context }, undefined, 2).split('\n')
  return ['', 'What it was decided on:', ...lines.map(line => `  ${printable(line)}`)]
}
