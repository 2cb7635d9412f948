import { AppraisalError } from './error.ts'
import type { PolicyDocument } from './policy.ts'
import { isRuleKind, type Rule } from './rule-table.ts'
import { isDigest } from './rules/pcr-values.ts'

/**
 * Checks a policy whose form is right already for what no form can say.
 *
 * @throws AppraisalError `policy-rule-unknown`, `policy-rule-duplicate`, `policy-reference-unknown`,
 *   `policy-pcr-unquoted`
 */
export function checkPolicy(document: PolicyDocument): void {
  const ids = new Set<string>()
  for (const rule of document.rules) {
    if (!isRuleKind(rule.kind))
      throw new AppraisalError('policy-rule-unknown', { found: String(rule.kind).slice(0, 60) })
    if (ids.has(rule.id)) throw new AppraisalError('policy-rule-duplicate', { found: rule.id })
    ids.add(rule.id)
    checkReferences(document, rule)
    checkPcrs(document, rule)
  }
}

function checkReferences(document: PolicyDocument, rule: Rule): void {
  const missing = referencesOf(rule).find(name => !Object.hasOwn(document.referenceValues, name))
  if (missing !== undefined) throw unknownReference(rule, missing)
}

function unknownReference(rule: Rule, name: string): AppraisalError {
  return new AppraisalError('policy-reference-unknown', { found: `${name} in ${rule.id}` })
}

function checkPcrs(document: PolicyDocument, rule: Rule): void {
  const missing = pcrsOf(rule).find(pcr => !document.pcrs.sha256.includes(pcr))
  if (missing !== undefined)
    throw new AppraisalError('policy-pcr-unquoted', { found: `PCR ${missing} in ${rule.id}` })
}

/** Names of reference values that a rule uses. */
function referencesOf(rule: Rule): readonly string[] {
  if (rule.kind === 'pcr-values')
    return Object.values(rule.values)
      .flat()
      .filter(v => !isDigest(v))
  return []
}

/** PCRs without which a rule can never hold. */
function pcrsOf(rule: Rule): readonly number[] {
  if (rule.kind === 'pcr-values') return Object.keys(rule.values).map(Number)
  return rule.kind === 'trust-on-first-use' ? rule.pcrs : []
}
