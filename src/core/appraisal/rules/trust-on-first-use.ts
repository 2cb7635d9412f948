import { contraindicated, listed, warned, type Finding } from '../finding.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * Pins what a host shows first and holds it to that: a lower mode, since nobody has said that the first was right. It
 * never affirms; a policy that relies on it says `minimumStatus: warning`.
 */
export interface TrustOnFirstUseRule {
  readonly kind: 'trust-on-first-use'
  readonly id: string
  readonly pcrs: readonly number[]
}

/** Under which name the value of a PCR is pinned. */
export function pinName(pcr: number): string {
  return `pcr-${pcr}`
}

/** See {@link TrustOnFirstUseRule}. */
export function appraiseTrustOnFirstUse(
  rule: TrustOnFirstUseRule,
  subject: AppraisalSubject,
): Finding {
  const states = rule.pcrs.map(pcr => stateOf(pcr, subject))
  const expected = 'the values of the first use'
  const wrong = states.filter(state => state.startsWith('PCR'))
  if (wrong.length > 0) return contraindicated(listed(wrong), expected)
  const isFirst = states.includes('first')
  return warned(isFirst ? 'first use: pinned now' : 'as pinned on first use', expected)
}

function stateOf(pcr: number, subject: AppraisalSubject): string {
  const found = subject.pcrs.get(pcr)
  const pinned = subject.before?.pins[pinName(pcr)]
  if (found === undefined) return `PCR ${pcr} not quoted`
  if (pinned === undefined) return 'first'
  return pinned === found ? 'pinned' : `PCR ${pcr} ${found}, pinned ${pinned}`
}

/** The pins after an attestation that was accepted: what was pinned before stays, what is new is added. */
export function pinsAfter(
  rules: readonly TrustOnFirstUseRule[],
  subject: AppraisalSubject,
): Readonly<Record<string, string>> {
  const added = rules
    .flatMap(rule => rule.pcrs)
    .flatMap(pcr => {
      const value = subject.pcrs.get(pcr)
      return value === undefined ? [] : [[pinName(pcr), value] as const]
    })
  return { ...Object.fromEntries(added), ...subject.before?.pins }
}
