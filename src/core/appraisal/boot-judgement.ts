import type { BootFacts } from '../eventlog/boot-facts.ts'
import type { EventLogQuirk } from '../eventlog/explanation.ts'
import { affirmed, contraindicated, listed, type Finding } from './finding.ts'
import type { PolicyDocument } from './policy.ts'
import type { AppraisalSubject } from './subject.ts'

/** What a rule makes of the facts of a boot: the breaches of it, or where there are none what it rests on. */
export interface BootJudgement {
  readonly wrong: readonly string[]
  readonly found: string
}

/** What a rule about a boot asks for. */
export interface BootExpectation {
  /** PCRs whose facts it looks at: what is absent from one that is not proven means nothing. */
  readonly pcrs: readonly number[]
  /** For a person. */
  readonly expected: string
}

/**
 * Holds a rule against the facts of a boot. It does not hold without an event log, not where the log leaves one of its
 * PCRs open, and not where the log leads to the quote only by a deviation that the policy does not allow.
 *
 * @see verification L9, L15
 */
export function appraiseBoot(
  { boot, policy }: AppraisalSubject,
  { pcrs, expected }: BootExpectation,
  judge: (boot: BootFacts) => BootJudgement,
): Finding {
  if (boot === undefined) return contraindicated('no event log', expected)
  const open = pcrs.filter(pcr => !boot.provenPcrs.includes(pcr))
  if (open.length > 0)
    return contraindicated(`PCR ${open.join(', ')} is not explained by the event log`, expected)
  const strange = boot.quirks.filter(quirk => !allowedQuirks(policy).includes(quirk))
  if (strange.length > 0)
    return contraindicated(`a log with the deviation ${listed(strange)}`, expected)
  const { wrong, found } = judge(boot)
  return wrong.length > 0 ? contraindicated(listed(wrong), expected) : affirmed(found, expected)
}

function allowedQuirks({ rules }: PolicyDocument): readonly EventLogQuirk[] {
  return rules.find(rule => rule.kind === 'event-log')?.quirks ?? []
}

/** Text that a host measured, for a message: printable ASCII, quoted, cut off where it is long. */
export function quoted(text: string): string {
  const printable = text.replaceAll(/[^\u0020-\u007E]/gu, '?')
  return `“${printable.length > 120 ? `${printable.slice(0, 117)}…` : printable}”`
}
