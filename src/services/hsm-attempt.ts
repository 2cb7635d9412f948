import { appraiseHsm } from '../core/appraisal/appraise-hsm.ts'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { parseFirmwareVersion } from '../core/appraisal/firmware-version.ts'
import { encodeEnvelope } from '../core/formats/envelope.ts'
import { hsmFormats } from '../core/formats/format-table.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import type { HsmEnrollment } from '../ports/hsm-records.ts'
import type { EnrollmentRecord } from '../ports/records.ts'
import { beginAttempt } from './attempt.ts'
import { recordForgery, recordRefusal } from './enrollment-refusal.ts'
import { inspectEvidence, verifyHsmEvidence, type HsmAnswer } from './hsm-evidence.ts'
import { findKnownHost, type JudgedAttempt } from './judged-attempt.ts'
import type { Service } from './service.ts'

/**
 * Verifies the answer of a host with an HSM, after the service's own look where the level rests on that, and appraises
 * it.
 *
 * @throws EvidenceError with the checks that ran; ServiceError `hsm-…`, `host-revoked`, `attestation-superseded`
 */
export async function judgeHsm(
  service: Service,
  enrollment: EnrollmentRecord,
  { hsm, answer }: { readonly hsm: HsmEnrollment; readonly answer: HsmAnswer },
  policy: AppraisalPolicy,
): Promise<JudgedAttempt> {
  const { format, vendor, token } = hsm
  const { id: contextId, nonce } = enrollment
  const context = { purpose: 'host', audience: service.settings.issuer, contextId, nonce } as const
  const sent = { vendor, token, ...answer }
  const received = await inspectEvidence(service, format, sent, context).catch(async cause => {
    throw await recordRefusal(service, enrollment, cause)
  })
  const evidence = encodeEnvelope(hsmFormats[format], received)
  const attempt = beginAttempt(service, enrollment, { format, evidence }, policy)
  const { now } = attempt
  const verifying = verifyHsmEvidence(service, format, received, { context, now })
  const key = await verifying.catch(async cause => {
    throw await recordForgery(service, attempt, cause)
  })
  const known = await findKnownHost(service, attempt, key.tokenSha256)
  const result = appraiseHsm(key, policy, {
    now,
    evidenceSha256: attempt.evidenceSha256,
    challengedAt: new Date(enrollment.createdAt),
    isEmulationAllowed: service.settings.attestation.assurance.includes('emulated'),
  })
  return {
    ...attempt,
    ...known,
    key,
    result,
    endorsementKind: key.endorsementKind,
    before: undefined,
    attestationPublic: new Uint8Array(),
    firmware: { firmwareVendor: key.facts.vendor, firmwareVersion: firmwareDigits(key) },
    anchors: key.anchors,
    reboots: undefined,
  }
}

/** As TPMs write theirs, so that a range means the same for both; null for a version that is no such number. */
function firmwareDigits({ facts }: VerifiedHsmKey): string | null {
  const version = parseFirmwareVersion(facts.firmware)
  return version === undefined ? null : version.toString(16).padStart(16, '0')
}
