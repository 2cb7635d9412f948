import { affirmed, contraindicated, type Finding } from '../finding.ts'
import type { CommonSubject } from '../subject.ts'

/** Evidence is not older than this when it is appraised; its nonce bounds its age. */
export interface EvidenceAgeRule {
  readonly kind: 'evidence-age'
  readonly id: string
  readonly maxSeconds: number
}

/** See {@link EvidenceAgeRule}. */
export function appraiseEvidenceAge(rule: EvidenceAgeRule, subject: CommonSubject): Finding {
  const seconds = Math.ceil((subject.now.getTime() - subject.challengedAt.getTime()) / 1000)
  const expected = `at most ${rule.maxSeconds} s`
  const isFresh = seconds >= 0 && seconds <= rule.maxSeconds
  return isFresh ? affirmed(`${seconds} s`, expected) : contraindicated(`${seconds} s`, expected)
}
