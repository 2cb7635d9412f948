import type { EndorsementBasis, EvidenceFormat, FormatExpectations } from '../evidence-format.ts'
import type { HsmContext } from './binding.ts'
import type { HsmEvidence, HsmRecord } from './evidence.ts'
import type { VerifiedHsmKey } from './verified.ts'

/** What Evidence about a key of an HSM is held to, whether the key is a host's or an agent's. */
export interface HsmExpectations extends EndorsementBasis {
  readonly context: HsmContext
  readonly now: Date
  /** Whether a token, by its digest, is the one of the host; any is where this is not said. */
  readonly isToken?: (sha256: string) => boolean
}

/** One way to vouch for a key of an HSM. */
export interface HsmFormat extends HsmRecord {
  /**
   * Verifies that an HSM holds the key of the request.
   *
   * @throws EvidenceError with the checks that ran
   */
  verifyKey(evidence: HsmEvidence, expected: HsmExpectations): VerifiedHsmKey
}

/** A format of HSM keys as one of Evidence: the key is a host's, at its enrolment. */
export function hostEvidenceFormat(
  format: HsmFormat,
): EvidenceFormat<HsmEvidence, VerifiedHsmKey> & HsmFormat {
  return {
    ...format,
    verify: (evidence, { challenge, ...basis }: FormatExpectations) => {
      const { audience, enrollmentId: contextId, nonce } = challenge
      const context = { purpose: 'host', audience, contextId, nonce } as const
      return format.verifyKey(evidence, { ...basis, context })
    },
  }
}
