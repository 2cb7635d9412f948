import { AppraisalError } from './error.ts'
import type { PolicyDocument } from './policy.ts'
import { isRuleKind, rowOf, type Rule } from './rule-table.ts'

/**
 * Checks a policy whose form is right already for what no form can say.
 *
 * @throws AppraisalError `policy-rule-unknown`, `policy-rule-duplicate`, `policy-rule-repeated`,
 *   `policy-reference-unknown`, `policy-pcr-unquoted`
 */
export function checkPolicy(document: PolicyDocument): void {
  const ids = new Set<string>()
  for (const rule of document.rules) {
    if (!isRuleKind(rule.kind))
      throw new AppraisalError('policy-rule-unknown', { found: String(rule.kind).slice(0, 60) })
    if (ids.has(rule.id)) throw new AppraisalError('policy-rule-duplicate', { found: rule.id })
    ids.add(rule.id)
    checkSingle(document, rule)
    checkReferences(document, rule)
    checkPcrs(document, rule)
  }
}

function checkSingle(document: PolicyDocument, rule: Rule): void {
  const same = document.rules.filter(({ kind }) => kind === rule.kind)
  if (rowOf(rule).isSingle === true && same.length > 1)
    throw new AppraisalError('policy-rule-repeated', { found: rule.kind })
}

function checkReferences(document: PolicyDocument, rule: Rule): void {
  const names = rowOf(rule).references?.(rule) ?? []
  const lists = rule.kind === 'ima' ? rule.allowLists : []
  const missing =
    names.find(name => !Object.hasOwn(document.referenceValues, name)) ??
    lists.find(name => !Object.hasOwn(document.allowLists, name))
  if (missing !== undefined)
    throw new AppraisalError('policy-reference-unknown', { found: `${missing} in ${rule.id}` })
}

function checkPcrs(document: PolicyDocument, rule: Rule): void {
  const pcrs = rowOf(rule).pcrs?.(rule) ?? []
  const missing = pcrs.find(pcr => !document.pcrs.sha256.includes(pcr))
  if (missing !== undefined)
    throw new AppraisalError('policy-pcr-unquoted', { found: `PCR ${missing} in ${rule.id}` })
}
