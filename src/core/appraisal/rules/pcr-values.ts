import { affirmed, contraindicated, listed, type Finding } from '../finding.ts'
import type { PolicyDocument } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/** Golden values: each PCR named holds one of those listed for it, or a digest of a reference value named there. */
export interface PcrValuesRule {
  readonly kind: 'pcr-values'
  readonly id: string
  /** By PCR number: hex SHA-256 values or names of reference values. */
  readonly values: Readonly<Record<string, readonly string[]>>
}

/** Whether a listed value is a digest by itself; anything else is the name of a reference value. */
export function isDigest(value: string): boolean {
  return /^[0-9a-f]{64}$/.test(value)
}

/** See {@link PcrValuesRule}. A PCR that was not quoted never passes. */
export function appraisePcrValues(rule: PcrValuesRule, subject: AppraisalSubject): Finding {
  const wrong = Object.entries(rule.values).flatMap(([pcr, accepted]) => {
    const found = subject.pcrs.get(Number(pcr))
    if (found === undefined) return [`PCR ${pcr} not quoted`]
    return digestsOf(subject.policy, accepted).has(found) ? [] : [`PCR ${pcr} ${found}`]
  })
  const expected = `PCRs ${Object.keys(rule.values).join(', ')} as the policy lists them`
  return wrong.length === 0
    ? affirmed(undefined, expected)
    : contraindicated(listed(wrong), expected)
}

function digestsOf(policy: PolicyDocument, accepted: readonly string[]): ReadonlySet<string> {
  return new Set(
    accepted.flatMap(value =>
      isDigest(value) ? [value] : (policy.referenceValues[value]?.digests ?? []),
    ),
  )
}
