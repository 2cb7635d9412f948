import type { VerifiedHsmKey } from '../formats/hsm/verified.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import type { AppraisalContext } from './appraise.ts'
import { sealAttestationResult, type AttestationResult } from './attestation-result.ts'
import { judgedVerdict } from './judged-verdict.ts'
import { appraiseHsmLines } from './lines.ts'
import type { VerdictHsm } from './verdict.ts'

/** What the service knows beside the Evidence. */
export type HsmAppraisalContext = Pick<
  AppraisalContext,
  'now' | 'evidenceSha256' | 'challengedAt' | 'isEmulationAllowed'
>

/**
 * Holds the key of an HSM against a policy, as `appraise` does with a TPM. Nothing is known of how its host booted: rules
 * about that stand in the verdict as not judged, and a policy that has no other denies.
 *
 * @see RFC 9334 §8.5
 */
export function appraiseHsm(
  key: VerifiedHsmKey,
  policy: AppraisalPolicy,
  context: HsmAppraisalContext,
): AttestationResult<null> {
  const { now, challengedAt, isEmulationAllowed } = context
  const { assurance, endorsementKind: kind, facts } = key
  const endorsement = { kind, vendor: facts.vendor, assurance }
  const subject = { now, policy: policy.document, endorsement, challengedAt, hsm: facts }
  const lines = appraiseHsmLines(subject, { isEmpty: policy.isEmpty, isEmulationAllowed })
  const judged = judgedVerdict(policy, context, lines)
  return sealAttestationResult({
    verdict: { ...judged, assurance, checks: key.checks, platform: null, hsm: verdictHsm(key) },
    nextState: null,
    rollback: undefined,
  })
}

function verdictHsm({ facts }: VerifiedHsmKey): VerdictHsm {
  const { vendor, token, firmware, properties } = facts
  const { manufacturer, model } = token
  return { vendor, manufacturer, model, firmware, properties }
}
