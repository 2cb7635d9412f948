import { createHash } from 'node:crypto'
import { appraise } from '../core/appraisal/appraise.ts'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { verifyLogsInSlices, type MeasuredPlatform } from '../core/appraisal/measured-platform.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { EndorsementKind } from '../core/appraisal/subject.ts'
import { encodeEnvelope } from '../core/formats/envelope.ts'
import type { TpmEvidence } from '../core/formats/tpm2/evidence.ts'
import { tpm2Format } from '../core/formats/tpm2/format.ts'
import type { VerifiedEvidence } from '../core/verifier/evidence.ts'
import type { EnrollmentRecord, HostRecord } from '../ports/records.ts'
import { beginAttempt, challengeOfEnrollment, type Attempt } from './attempt.ts'
import { loadEndorsementBasis, requireVouched } from './enrollment-keys.ts'
import { recordForgery } from './enrollment-refusal.ts'
import { findKnownHost, type JudgedAttempt } from './judged-attempt.ts'
import { runInSlices } from './run-in-slices.ts'
import type { Service } from './service.ts'

/** A TPM's answer to its challenge, as it came in. */
export type TpmAnswer = Omit<TpmEvidence, 'endorsementKey' | 'attestationKey'>

interface TpmAttempt extends Attempt {
  readonly received: TpmEvidence
}

/** Evidence that verified, and on whose word its hardware is genuine. */
interface GenuineAttempt extends TpmAttempt {
  readonly verified: VerifiedEvidence
  readonly endorsementKind: EndorsementKind
}

/**
 * Verifies the answer of a TPM with its logs against what this service computed, and appraises it.
 *
 * @throws EvidenceError with the checks that ran; ServiceError `endorsement-…`, `host-revoked`, `attestation-superseded`
 */
export async function judgeTpm(
  service: Service,
  enrollment: EnrollmentRecord,
  answer: TpmAnswer,
  policy: AppraisalPolicy,
): Promise<JudgedAttempt> {
  const received = completeEvidence(enrollment, answer)
  const sent = { format: 'tpm2', evidence: encodeEnvelope(tpm2Format, received) } as const
  const attempt = { ...beginAttempt(service, enrollment, sent, policy), received }
  const genuine = await verifyAnswer(service, attempt)
  const { spkiSha256 } = genuine.verified.endorsementKey
  const known = await findKnownHost(service, attempt, spkiSha256)
  const before = stateOf(known.host)
  const measured = await measureHost(service, genuine, before)
  const { verified, endorsementKind } = genuine
  const result = appraise(verified, policy, {
    now: attempt.now,
    measured,
    evidenceSha256: attempt.evidenceSha256,
    endorsementKind,
    challengedAt: new Date(enrollment.createdAt),
    before,
    advisories: service.firmwareAdvisories,
    isEmulationAllowed: service.settings.attestation.assurance.includes('emulated'),
  })
  const { clockInfo, firmwareVersion } = verified.facts
  return {
    ...genuine,
    ...known,
    key: verified.subjectKey,
    result,
    before,
    attestationPublic: enrollment.attestationPublic,
    firmware: {
      firmwareVendor: verified.endorsementKey.vendor ?? null,
      firmwareVersion: firmwareVersion.toString(16).padStart(16, '0'),
    },
    anchors: anchorsOf(verified),
    reboots: before && Math.max(0, clockInfo.resetCount - before.resetCount),
  }
}

/** Every certificate above its EK, in whatever place: each can be revoked with all that it vouched for. */
function anchorsOf({ endorsementKey }: VerifiedEvidence): string[] {
  const digests = endorsementKey.path
    .slice(1)
    .map(der => createHash('sha256').update(der).digest('hex'))
  return [...new Set(digests)]
}

/** Both halves of what the host sent. */
function completeEvidence(enrollment: EnrollmentRecord, answer: TpmAnswer): TpmEvidence {
  return {
    ...answer,
    endorsementKey: {
      public: enrollment.endorsementPublic,
      certificate: enrollment.endorsementCertificate,
      chain: enrollment.endorsementChain,
    },
    attestationKey: { public: enrollment.attestationPublic },
  }
}

/** Everything anew, both keys among it: what was admitted when they were challenged may have been taken back. */
async function verifyAnswer(service: Service, attempt: TpmAttempt): Promise<GenuineAttempt> {
  const { enrollment, received, now } = attempt
  try {
    const verified = tpm2Format.verify(received, {
      ...(await loadEndorsementBasis(service)),
      challenge: challengeOfEnrollment(service, enrollment),
      now,
    })
    const claim = { name: enrollment.name, endorsementKey: received.endorsementKey }
    const endorsementKind = await requireVouched(service, claim, verified.endorsementKey)
    return { ...attempt, verified, endorsementKind }
  } catch (cause) {
    throw await recordForgery(service, attempt, cause)
  }
}

/** The logs of the host. A list of IMA may be long, and nothing else is to wait for it. */
async function measureHost(
  service: Service,
  attempt: GenuineAttempt,
  before: PlatformState | undefined,
): Promise<MeasuredPlatform> {
  const { verified, received, policy } = attempt
  try {
    return await runInSlices(verifyLogsInSlices(verified, received, policy, before))
  } catch (cause) {
    throw await recordForgery(service, attempt, cause)
  }
}

function stateOf(host: HostRecord | undefined): PlatformState | undefined {
  const state = host?.platformState ?? null
  return state === null ? undefined : (JSON.parse(state) as PlatformState)
}
