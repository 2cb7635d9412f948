import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { ClaimMapping } from './ar4si.ts'
import { affirmed, contraindicated, type Finding } from './finding.ts'
import { appraiseRule, ruleTable, type RuleKind } from './rule-table.ts'
import { appraiseState, stateRules, type StateFinding, type StateRule } from './state-rules.ts'
import type { AppraisalSubject } from './subject.ts'
import type { RuleLine } from './verdict.ts'

/** A line with what it claims in an EAR, and whether it saw the TPM set back. */
export interface AppraisedLine {
  readonly line: RuleLine
  readonly claim: ClaimMapping
  readonly isRollback: boolean
}

/** Lines that every appraisal has, whatever the policy's rules: on what they stand and what they claim. */
export const standingRules = {
  'policy-empty': {
    source: 'RFC 9334 §8.5',
    claim: { claim: 'instance-identity', contraindicated: 96 },
  },
  assurance: {
    source: 'verification VT1',
    claim: { claim: 'hardware', affirming: 2, contraindicated: 97 },
  },
} as const satisfies Record<string, { readonly source: string; readonly claim: ClaimMapping }>

/** What the rules of the platform's state claim. */
export const stateClaim: ClaimMapping = {
  claim: 'instance-identity',
  affirming: 2,
  contraindicated: 96,
}

/** Every line of an appraisal, in the order of a verdict: standing rules, state, the policy's rules. */
export function appraiseLines(
  subject: AppraisalSubject,
  options: { readonly isEmpty: boolean; readonly isEmulationAllowed: boolean },
): AppraisedLine[] {
  return [
    ...(options.isEmpty
      ? [standing('policy-empty', contraindicated('a policy that says nothing'))]
      : []),
    standing('assurance', appraiseAssurance(subject, options.isEmulationAllowed)),
    ...(subject.before === undefined
      ? []
      : appraiseState(subject.before, subject.platform).map(stateLine)),
    ...subject.policy.rules.map(rule => ruleLine(rule.id, rule.kind, appraiseRule(rule, subject))),
  ]
}

/** Emulated hardware needs the word in the policy and in the configuration of the service. */
function appraiseAssurance(subject: AppraisalSubject, isEmulationAllowed: boolean): Finding {
  const found = subject.endorsement.assurance
  const accepted = subject.policy.assurance.filter(
    (level: AssuranceLevel) => level !== 'emulated' || isEmulationAllowed,
  )
  const expected = accepted.join(' or ') || 'none'
  return accepted.includes(found) ? affirmed(found, expected) : contraindicated(found, expected)
}

function standing(rule: keyof typeof standingRules, finding: Finding): AppraisedLine {
  const { source, claim } = standingRules[rule]
  return { line: { rule, ...finding, source }, claim, isRollback: false }
}

function stateLine({ rule, isRollback, ...finding }: StateFinding): AppraisedLine {
  const source: string = stateRules[rule satisfies StateRule]
  return { line: { rule, ...finding, source }, claim: stateClaim, isRollback }
}

function ruleLine(rule: string, kind: RuleKind, finding: Finding): AppraisedLine {
  const { source, claim } = ruleTable[kind]
  return { line: { rule, ...finding, source }, claim, isRollback: false }
}
