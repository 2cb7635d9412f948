import type { AppraisalStatus } from './status.ts'
import type { RuleLine, Verdict } from './verdict.ts'

/** How a verdict would change, and which lines make it so. */
export interface VerdictDifference {
  readonly from: { readonly status: AppraisalStatus; readonly accepted: boolean }
  readonly to: { readonly status: AppraisalStatus; readonly accepted: boolean }
  /** What decides the new one. */
  readonly rule: string
  /** The lines of the new verdict that are worse than affirming, or of the old one where nothing is. */
  readonly because: readonly RuleLine[]
}

/** The difference between two verdicts; undefined when status and admission stay what they are. */
export function verdictDifference(before: Verdict, after: Verdict): VerdictDifference | undefined {
  if (before.status === after.status && before.accepted === after.accepted) return undefined
  const worse = after.rules.filter(isReservation)
  return {
    from: { status: before.status, accepted: before.accepted },
    to: { status: after.status, accepted: after.accepted },
    rule: after.rule,
    because: worse.length > 0 ? worse : before.rules.filter(isReservation),
  }
}

function isReservation({ outcome }: RuleLine): boolean {
  return outcome === 'warning' || outcome === 'contraindicated'
}
