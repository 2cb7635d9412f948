import type { EventLogCheckCode } from '../../eventlog/check-rows.ts'
import type { EventLogQuirk } from '../../eventlog/explanation.ts'
import { appraiseBoot } from '../boot-judgement.ts'
import type { Finding } from '../finding.ts'
import type { AppraisalSubject } from '../subject.ts'

/** Rules on the order and form of events that a policy may pass over by name. */
export const tolerableChecks = [
  'eventlog-data',
  'eventlog-separators',
  'eventlog-after-separator',
  'eventlog-boot-order',
  'eventlog-exit-boot-services',
  'eventlog-secure-boot',
  'eventlog-signature-database',
  'eventlog-authority',
] as const satisfies readonly EventLogCheckCode[]

/**
 * The host shows the log of its boot, it leads to the quoted values, and its events stand as firmware writes them. The
 * error mark of a firmware that failed to measure is never passed over.
 */
export interface EventLogRule {
  readonly kind: 'event-log'
  readonly id: string
  /** PCRs that the log must explain to their quoted values. */
  readonly explain: readonly number[]
  /** Deviations of firmware without which a log may not lead to the quote. */
  readonly quirks: readonly EventLogQuirk[]
  /** Checks on order and form that may fail. */
  readonly tolerate: readonly (typeof tolerableChecks)[number][]
}

/** See {@link EventLogRule}. */
export function appraiseEventLog(rule: EventLogRule, subject: AppraisalSubject): Finding {
  const expected = 'an event log that explains the quote, in order'
  return appraiseBoot(subject, { pcrs: rule.explain, expected }, ({ checks, provenPcrs }) => {
    const tolerated: readonly string[] = rule.tolerate
    const wrong = checks
      .filter(({ code, outcome }) => outcome === 'fail' && !tolerated.includes(code))
      .map(({ code, found }) => `${code} (${found ?? ''})`)
    return { wrong, found: `explains PCRs ${provenPcrs.join(', ')}` }
  })
}
