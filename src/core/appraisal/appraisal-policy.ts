import { createHash } from 'node:crypto'
import type { ImaRules } from '../ima/appraise.ts'
import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { AppraisalError } from './error.ts'
import { checkPolicy } from './policy-check.ts'
import { isEmptyPolicy, type PolicyDocument } from './policy.ts'
import { imaRulesOf } from './rules/ima.ts'

/** A policy whose rules were checked against each other and the tables: only such a one can be applied. */
export class AppraisalPolicy {
  readonly #document: PolicyDocument
  /** Canonical JSON of the document. */
  readonly text: string
  /** `sha256:` and the hex digest of `text`. */
  readonly id: string
  /** Its number at this service; 0 for a draft. */
  readonly version: number
  /** What its rule on IMA says of entries, with lists and keys made ready; undefined without one. */
  readonly imaRules: ImaRules | undefined

  private constructor(document: PolicyDocument, version: number) {
    this.#document = document
    this.imaRules = prepareImaRules(document)
    this.text = encodeCanonicalJson(document)
    this.id = `sha256:${createHash('sha256').update(this.text).digest('hex')}`
    this.version = version
  }

  /**
   * Checks what the form of a document does not show: kinds of rules, their ids, the names and PCRs they refer to.
   *
   * @throws AppraisalError `policy-malformed`, `policy-rule-unknown`, `policy-rule-duplicate`,
   *   `policy-rule-repeated`, `policy-reference-unknown`, `policy-pcr-unquoted`, `policy-key`
   */
  static prepare(document: PolicyDocument, version: number): AppraisalPolicy {
    checkPolicy(document)
    return new AppraisalPolicy(document, version)
  }

  get document(): PolicyDocument {
    return this.#document
  }

  /** An empty policy denies everybody. */
  get isEmpty(): boolean {
    return isEmptyPolicy(this.#document)
  }
}

/** Keys are read when the policy is, not first when a host shows what they signed. */
function prepareImaRules(document: PolicyDocument): ImaRules | undefined {
  const rule = document.rules.find(candidate => candidate.kind === 'ima')
  if (rule === undefined) return undefined
  try {
    return imaRulesOf(document, rule)
  } catch (cause) {
    throw new AppraisalError('policy-key', { found: rule.id, cause })
  }
}
