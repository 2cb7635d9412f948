import type { ClaimMapping } from './ar4si.ts'
import type { Finding } from './finding.ts'
import { appraiseEndorsement, type EndorsementRule } from './rules/endorsement.ts'
import { appraiseEvidenceAge, type EvidenceAgeRule } from './rules/evidence-age.ts'
import {
  appraiseFirmwareAdvisories,
  type FirmwareAdvisoriesRule,
} from './rules/firmware-advisories.ts'
import { appraisePcrValues, type PcrValuesRule } from './rules/pcr-values.ts'
import {
  appraiseTpmFirmwareMinimum,
  type TpmFirmwareMinimumRule,
} from './rules/tpm-firmware-minimum.ts'
import { appraiseTrustOnFirstUse, type TrustOnFirstUseRule } from './rules/trust-on-first-use.ts'
import type { AppraisalSubject } from './subject.ts'

/** One rule of an Appraisal Policy, told apart by its kind. */
export type Rule =
  | EndorsementRule
  | EvidenceAgeRule
  | FirmwareAdvisoriesRule
  | PcrValuesRule
  | TpmFirmwareMinimumRule
  | TrustOnFirstUseRule

export type RuleKind = Rule['kind']

interface RuleRow<R extends Rule> {
  readonly appraise: (rule: R, subject: AppraisalSubject) => Finding
  /** On what the rule stands. */
  readonly source: string
  /** What its outcome claims in an EAR. */
  readonly claim: ClaimMapping
}

/** How each kind of rule is held against Evidence. A kind without a row cannot be evaluated, and so is refused. */
export const ruleTable: { readonly [K in RuleKind]: RuleRow<Extract<Rule, { kind: K }>> } = {
  endorsement: {
    appraise: appraiseEndorsement,
    source: 'RFC 9334 §8.2; verification E1, VT4',
    claim: { claim: 'instance-identity', affirming: 2, contraindicated: 97 },
  },
  'evidence-age': {
    appraise: appraiseEvidenceAge,
    source: 'RFC 9334 §10; verification X2',
    claim: { claim: 'instance-identity', affirming: 2, contraindicated: 96 },
  },
  'firmware-advisories': {
    appraise: appraiseFirmwareAdvisories,
    source: 'verification Q9, X4',
    claim: { claim: 'hardware', affirming: 2, warning: 32, contraindicated: 96 },
  },
  'pcr-values': {
    appraise: appraisePcrValues,
    source: 'RFC 9334 §8.3; verification Q3, Q4',
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
  },
  'tpm-firmware-minimum': {
    appraise: appraiseTpmFirmwareMinimum,
    source: 'TPM 2.0 Part 2 r01.59 §10.12.12 firmwareVersion; verification Q9',
    claim: { claim: 'hardware', affirming: 2, contraindicated: 96 },
  },
  'trust-on-first-use': {
    appraise: appraiseTrustOnFirstUse,
    source: 'verification X2',
    claim: { claim: 'executables', warning: 33, contraindicated: 96 },
  },
}

/** Whether a name is a kind of rule. */
export function isRuleKind(kind: string): kind is RuleKind {
  return Object.hasOwn(ruleTable, kind)
}

/** Holds one rule against a subject. */
export function appraiseRule(rule: Rule, subject: AppraisalSubject): Finding {
  const row = ruleTable[rule.kind] as RuleRow<Rule>
  return row.appraise(rule, subject)
}
