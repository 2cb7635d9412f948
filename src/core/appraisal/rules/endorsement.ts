import { affirmed, contraindicated, type Finding } from '../finding.ts'
import type { AppraisalSubject, EndorsementKind } from '../subject.ts'

/** Which ways of knowing an endorsement key are good enough: a manufacturer's certificate, or an operator's word. */
export interface EndorsementRule {
  readonly kind: 'endorsement'
  readonly id: string
  readonly accept: readonly EndorsementKind[]
}

const words: Readonly<Record<EndorsementKind, string>> = {
  certificate: 'a certificate below an admitted trust anchor',
  listed: 'no certificate; its key was on the list of an operator',
  approved: 'no certificate; an operator approved its key',
}

/** See {@link EndorsementRule}. */
export function appraiseEndorsement(rule: EndorsementRule, subject: AppraisalSubject): Finding {
  const { kind } = subject.endorsement
  const expected = rule.accept.join(' or ')
  return rule.accept.includes(kind)
    ? affirmed(words[kind], expected)
    : contraindicated(words[kind], expected)
}
