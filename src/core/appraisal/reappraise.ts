import { decodeBase64url } from '../bytes/base64url.ts'
import { verifyAttestationKey } from '../verifier/attestation-key.ts'
import {
  verifyDeclaredEndorsementKey,
  verifyEndorsementKey,
  type EndorsementKey,
} from '../verifier/endorsement-key.ts'
import { parseEvidence, verifyEvidence, type VerifiedEvidence } from '../verifier/evidence.ts'
import type { TrustAnchor } from '../verifier/trust-anchor.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import { appraise } from './appraise.ts'
import type { AttestationContext } from './attestation-context.ts'
import type { AttestationResult } from './attestation-result.ts'
import { AppraisalError } from './error.ts'
import type { FirmwareAdvisory } from './firmware-advisory.ts'
import { verifyLogs } from './measured-platform.ts'
import { keptEvidenceSha256, parseKeptEvidence, type TpmEvidence } from './kept-evidence.ts'
import type { EndorsementKind } from './subject.ts'

/** Evidence as it was kept, with what the verifier knew then. */
export interface KeptEvidence {
  readonly evidence: Uint8Array
  readonly context: AttestationContext
}

/** Against what it is verified and appraised anew. */
export interface Reappraisal {
  readonly anchors: readonly TrustAnchor[]
  /** Certificates of issuers that the service holds, DER. */
  readonly intermediates: readonly Uint8Array[]
  readonly advisories: readonly FirmwareAdvisory[]
  readonly isEmulationAllowed: boolean
  /** The time that it is judged at: of its first appraisal, to see what another policy would have said. */
  readonly now: Date
}

/**
 * Verifies kept Evidence once more, from its bytes, and holds it against a policy. Touches nothing.
 *
 * @throws EvidenceError where it no longer verifies, for example since an anchor was taken back; AppraisalError
 *   `attestation-not-kept`
 */
export function reappraise(
  kept: KeptEvidence,
  policy: AppraisalPolicy,
  against: Reappraisal,
): AttestationResult {
  const { context } = kept
  const evidence = parseKeptEvidence(kept.evidence)
  const endorsementKind = requireKind(context)
  const verified = verifyAgain(evidence, context, endorsementKind, against)
  const before = context.before ?? undefined
  return appraise(verified, policy, {
    now: against.now,
    measured: verifyLogs(verified, evidence, policy, before),
    evidenceSha256: keptEvidenceSha256(kept.evidence),
    endorsementKind,
    challengedAt: new Date(context.challengedAt),
    before,
    advisories: against.advisories,
    isEmulationAllowed: against.isEmulationAllowed,
  })
}

/** Evidence that did not verify the first time was never appraised, and is not now. */
function requireKind({ endorsementKind }: AttestationContext): EndorsementKind {
  if (endorsementKind === null)
    throw new AppraisalError('attestation-not-kept', { found: 'Evidence that was refused' })
  return endorsementKind
}

function verifyAgain(
  evidence: TpmEvidence,
  context: AttestationContext,
  kind: EndorsementKind,
  against: Reappraisal,
): VerifiedEvidence {
  return verifyEvidence(parseEvidence(evidence), {
    endorsementKey: endorsementKeyOf(evidence, kind, against),
    attestationKey: verifyAttestationKey(evidence.attestationKey),
    audience: context.audience,
    enrollmentId: context.enrollmentId,
    nonce: decodeBase64url(context.nonce),
    secret: decodeBase64url(context.secret),
    pcrSelection: { sha256: context.pcrs },
  })
}

function endorsementKeyOf(
  { endorsementKey }: TpmEvidence,
  kind: EndorsementKind,
  { anchors, intermediates, now }: Reappraisal,
): EndorsementKey {
  const { certificate } = endorsementKey
  if (kind !== 'certificate' || certificate === null)
    return verifyDeclaredEndorsementKey(endorsementKey)
  return verifyEndorsementKey({ ...endorsementKey, certificate, anchors, intermediates, now })
}
