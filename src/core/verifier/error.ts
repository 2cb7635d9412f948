import { CodedError } from '../coded-error.ts'
import type { Check, CheckFacts } from './check.ts'
import { checkTable, type CheckCode } from './check-table.ts'

/**
 * Evidence that is malformed or forged. `checks` are all that ran, the last one failed. Genuine Evidence that a
 * policy dislikes is no error: that is an Attestation Result.
 */
export class EvidenceError extends CodedError<CheckCode> {
  readonly checks: readonly Check[]

  constructor(code: CheckCode, checks: readonly Check[], facts: CheckFacts = {}) {
    const { bytes: _bytes, ...shown } = facts
    super(code, checkTable[code], shown)
    this.checks = checks
  }

  /** The same refusal with the checks that a larger verification had made before it. */
  after(earlier: readonly Check[]): EvidenceError {
    const { expected, found, cause } = this
    const facts = {
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      cause,
    }
    return new EvidenceError(this.code, [...earlier, ...this.checks], facts)
  }
}
