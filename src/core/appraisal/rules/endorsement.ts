import { affirmed, contraindicated, type Finding } from '../finding.ts'
import type { CommonSubject, EndorsementKind } from '../subject.ts'

/** Which ways of knowing hardware are good enough: a maker's certificate, an operator's word, the service's own look. */
export interface EndorsementRule {
  readonly kind: 'endorsement'
  readonly id: string
  readonly accept: readonly EndorsementKind[]
}

const words: Readonly<Record<EndorsementKind, string>> = {
  certificate: 'a certificate below an admitted trust anchor',
  listed: 'no certificate; its key was on the list of an operator',
  approved: 'no certificate; an operator approved its key',
  inspected: 'no certificate; the service read the attributes in the token itself',
  registered:
    'no certificate; the host’s statement, by an attestation key that an operator registered',
}

/** See {@link EndorsementRule}. */
export function appraiseEndorsement(rule: EndorsementRule, subject: CommonSubject): Finding {
  const { kind } = subject.endorsement
  const expected = rule.accept.join(' or ')
  return rule.accept.includes(kind)
    ? affirmed(words[kind], expected)
    : contraindicated(words[kind], expected)
}
