import { createHash } from 'node:crypto'
import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { checkPolicy } from './policy-check.ts'
import { isEmptyPolicy, type PolicyDocument } from './policy.ts'

/** A policy whose rules were checked against each other and the tables: only such a one can be applied. */
export class AppraisalPolicy {
  readonly #document: PolicyDocument
  /** Canonical JSON of the document. */
  readonly text: string
  /** `sha256:` and the hex digest of `text`. */
  readonly id: string
  /** Its number at this service; 0 for a draft. */
  readonly version: number

  private constructor(document: PolicyDocument, version: number) {
    this.#document = document
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
