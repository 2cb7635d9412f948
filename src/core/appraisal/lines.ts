import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { ClaimMapping } from './ar4si.ts'
import { affirmed, contraindicated, type Finding } from './finding.ts'
import { appraiseHsmRule, appraiseRule, notJudged, ruleTable, type Rule } from './rule-table.ts'
import { appraiseState, stateRules, type StateFinding, type StateRule } from './state-rules.ts'
import type { AppraisalSubject, CommonSubject, HsmSubject } from './subject.ts'
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
  'policy-silent': {
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

/** What of the policy and the configuration stands above single rules. */
export interface LineOptions {
  readonly isEmpty: boolean
  readonly isEmulationAllowed: boolean
}

/** Every line of the appraisal of a TPM, in the order of a verdict: standing rules, state, the policy's rules. */
export function appraiseLines(subject: AppraisalSubject, options: LineOptions): AppraisedLine[] {
  const judged = judge(subject, rule => appraiseRule(rule, subject))
  const { before, platform } = subject
  return [
    ...standingLines(subject, options, judged),
    ...(before === undefined ? [] : appraiseState(before, platform).map(stateLine)),
    ...judged.map(ruleLine),
  ]
}

/** As {@link appraiseLines}, of an HSM: it has no state of a platform, and rules about one stand there as not judged. */
export function appraiseHsmLines(subject: HsmSubject, options: LineOptions): AppraisedLine[] {
  const judged = judge(subject, rule => appraiseHsmRule(rule, subject))
  return [...standingLines(subject, options, judged), ...judged.map(ruleLine)]
}

/** A policy none of whose rules is about this kind of hardware says nothing of it, and so denies. */
function standingLines(
  subject: CommonSubject,
  { isEmpty, isEmulationAllowed }: LineOptions,
  judged: readonly Judged[],
): AppraisedLine[] {
  const isSilent = !isEmpty && judged.every(({ finding }) => finding === notJudged)
  const silence = 'no rule of the policy is about this kind of hardware'
  return [
    ...(isEmpty ? [standing('policy-empty', contraindicated('a policy that says nothing'))] : []),
    ...(isSilent ? [standing('policy-silent', contraindicated(silence))] : []),
    standing('assurance', appraiseAssurance(subject, isEmulationAllowed)),
  ]
}

interface Judged {
  readonly rule: Rule
  readonly finding: Finding
}

function judge({ policy }: CommonSubject, appraise: (rule: Rule) => Finding): Judged[] {
  return policy.rules.map(rule => ({ rule, finding: appraise(rule) }))
}

/** Emulated hardware needs the word in the policy and in the configuration of the service. */
function appraiseAssurance(subject: CommonSubject, isEmulationAllowed: boolean): Finding {
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

function ruleLine({ rule: { id: rule, kind }, finding }: Judged): AppraisedLine {
  const { source, claim } = ruleTable[kind]
  return { line: { rule, ...finding, source }, claim, isRollback: false }
}
