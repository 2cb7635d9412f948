import { runAtOnce, type Sliced } from '../slices.ts'
import { envelopeSha256, parseEnvelope } from '../formats/envelope.ts'
import type { EndorsementBasis } from '../formats/evidence-format.ts'
import {
  evidenceFormat,
  hsmFormats,
  isHsmFormatId,
  type HsmFormatId,
} from '../formats/format-table.ts'
import { tpm2Format } from '../formats/tpm2/format.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import { appraiseHsm, type HsmAppraisalContext } from './appraise-hsm.ts'
import { appraise } from './appraise.ts'
import { challengeOf, type AttestationContext } from './attestation-context.ts'
import type { AttestationResult } from './attestation-result.ts'
import { AppraisalError } from './error.ts'
import type { FirmwareAdvisory } from './firmware-advisory.ts'
import { verifyLogsInSlices } from './measured-platform.ts'
import type { PlatformState } from './platform-state.ts'
import type { EndorsementKind } from './subject.ts'

/** Evidence as it was kept, with what the verifier knew then. */
export interface KeptEvidence {
  /** Name of its format. */
  readonly format: string
  readonly evidence: Uint8Array
  readonly context: AttestationContext
}

/** Against what it is verified and appraised anew. */
export interface Reappraisal extends EndorsementBasis {
  readonly advisories: readonly FirmwareAdvisory[]
  readonly isEmulationAllowed: boolean
  /** The time that it is judged at: of its first appraisal, to see what another policy would have said. */
  readonly now: Date
}

/**
 * Verifies kept Evidence once more, from its bytes, and holds it against a policy. Touches nothing.
 *
 * @throws EvidenceError where it no longer verifies, for example since an anchor was taken back; EvidenceFormatError
 *   `evidence-format-unknown`, `evidence-unreadable`; AppraisalError `attestation-not-kept`
 */
export function reappraise(
  kept: KeptEvidence,
  policy: AppraisalPolicy,
  against: Reappraisal,
): AttestationResult<PlatformState | null> {
  return runAtOnce(reappraiseInSlices(kept, policy, against))
}

/** As {@link reappraise}, with breaks: a list of IMA may be long. */
export function* reappraiseInSlices(
  kept: KeptEvidence,
  policy: AppraisalPolicy,
  against: Reappraisal,
): Sliced<AttestationResult<PlatformState | null>> {
  if (isHsmFormatId(kept.format))
    return reappraiseHsm(hsmFormats[kept.format], kept, policy, against)
  const { context } = kept
  // Throws for a name that is in no table; what is left then is the one format of TPMs.
  evidenceFormat(kept.format)
  const evidence = parseEnvelope(tpm2Format, kept.evidence)
  const endorsementKind = requireKind(context)
  const verified = tpm2Format.verify(evidence, { ...against, challenge: challengeOf(context) })
  const before = context.before ?? undefined
  return appraise(verified, policy, {
    ...contextOf(kept, against),
    measured: yield* verifyLogsInSlices(verified, evidence, policy, before),
    endorsementKind,
    before,
    advisories: against.advisories,
  })
}

function reappraiseHsm(
  format: (typeof hsmFormats)[HsmFormatId],
  kept: KeptEvidence,
  policy: AppraisalPolicy,
  against: Reappraisal,
): AttestationResult<null> {
  const evidence = parseEnvelope(format, kept.evidence)
  requireKind(kept.context)
  const challenge = challengeOf(kept.context)
  const verified = format.verify(evidence, { ...against, challenge })
  return appraiseHsm(verified, policy, contextOf(kept, against))
}

function contextOf(
  { context, evidence }: KeptEvidence,
  { now, isEmulationAllowed }: Reappraisal,
): HsmAppraisalContext {
  const challengedAt = new Date(context.challengedAt)
  return { now, evidenceSha256: envelopeSha256(evidence), challengedAt, isEmulationAllowed }
}

/** Evidence that did not verify the first time was never appraised, and is not now. */
function requireKind({ endorsementKind }: AttestationContext): EndorsementKind {
  if (endorsementKind === null)
    throw new AppraisalError('attestation-not-kept', { found: 'Evidence that was refused' })
  return endorsementKind
}
