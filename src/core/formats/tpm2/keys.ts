import { verifyAttestationKey, type AttestationKey } from '../../verifier/attestation-key.ts'
import {
  verifyDeclaredEndorsementKey,
  verifyEndorsementKey,
  type EndorsementKey,
} from '../../verifier/endorsement-key.ts'
import { isTpmAnchor } from '../../verifier/trust-anchor.ts'
import type { EndorsementBasis } from '../evidence-format.ts'
import type { TpmEvidence } from './evidence.ts'

/** The keys that a TPM is challenged for. Bytes, untrusted. */
export type TpmKeys = Pick<TpmEvidence, 'endorsementKey' | 'attestationKey'>

/** Both keys, verified. That they lie in one TPM, the activation shows. */
export interface VerifiedTpmKeys {
  readonly endorsementKey: EndorsementKey
  readonly attestationKey: AttestationKey
}

/**
 * Verifies both keys. For an endorsement key without certificate nobody has vouched by this: the caller has an
 * operator's word for it (`spkiSha256`).
 *
 * @throws EvidenceError with the checks that ran
 * @see verification E1 to E14, T1, T2, K1 to K5
 */
export function verifyTpmKeys(
  { endorsementKey, attestationKey }: TpmKeys,
  basis: EndorsementBasis & { readonly now: Date },
): VerifiedTpmKeys {
  return {
    endorsementKey: verifyEndorsement(endorsementKey, basis),
    attestationKey: verifyAttestationKey(attestationKey),
  }
}

function verifyEndorsement(
  claimed: TpmEvidence['endorsementKey'],
  { endorsementPolicy: policy, ...basis }: EndorsementBasis & { readonly now: Date },
): EndorsementKey {
  const { certificate } = claimed
  if (certificate === null) return verifyDeclaredEndorsementKey(claimed)
  const { anchors, intermediates, revocation, now } = basis
  return verifyEndorsementKey({
    ...claimed,
    certificate,
    anchors: anchors.filter(isTpmAnchor),
    intermediates,
    revocation,
    policy,
    now,
  })
}
