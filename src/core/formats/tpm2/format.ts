import { parseEvidence, verifyEvidence, type VerifiedEvidence } from '../../verifier/evidence.ts'
import type { EvidenceFormat } from '../evidence-format.ts'
import { encodeTpmEvidence, parseTpmEvidence, statementType, type TpmEvidence } from './evidence.ts'
import { verifyTpmKeys } from './keys.ts'

/**
 * A TPM 2.0: an endorsement key that a manufacturer or an operator vouches for, an attestation key beside it by
 * activation, a quote, and the certification of the key that is to be certified.
 *
 * @see verification sections 1 to 7
 */
export const tpm2Format: EvidenceFormat<TpmEvidence, VerifiedEvidence> = {
  id: 'tpm2',
  mediaType: statementType,
  encode: encodeTpmEvidence,
  parse: parseTpmEvidence,
  verify: (evidence, expected) => {
    const { challenge } = expected
    // The logs are held against the quote by the appraisal, which knows how the policy wants them read.
    const { activation, quote, pcrs, subjectKey, csr } = evidence
    return verifyEvidence(parseEvidence({ activation, quote, pcrs, subjectKey, csr }), {
      ...verifyTpmKeys(evidence, expected),
      ...challenge,
      pcrSelection: { sha256: challenge.pcrs },
    })
  },
}
