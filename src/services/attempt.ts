import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import {
  encodeKeptEvidence,
  keptEvidenceSha256,
  type TpmEvidence,
} from '../core/appraisal/kept-evidence.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { EndorsementKind } from '../core/appraisal/subject.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import type { EnrollmentRecord } from '../ports/records.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'

/** The host's answer to its challenge, as it came in. */
export type EnrollmentAnswer = Omit<TpmEvidence, 'endorsementKey' | 'attestationKey'>

/** One answer on its way from bytes to a verdict: each fact of it once. */
export interface Attempt {
  /** Of the attestation that will be kept of it. */
  readonly id: string
  readonly enrollment: EnrollmentRecord
  readonly answer: EnrollmentAnswer
  /** The Evidence as it will be kept. */
  readonly evidence: Uint8Array
  /** Hex. */
  readonly evidenceSha256: string
  /** The policy that it will be held against. */
  readonly policy: AppraisalPolicy
  readonly now: Date
}

/** Takes an answer down before anything is looked at in it. */
export function beginAttempt(
  service: Service,
  enrollment: EnrollmentRecord,
  answer: EnrollmentAnswer,
  policy: AppraisalPolicy,
): Attempt {
  const evidence = encodeKeptEvidence({
    ...answer,
    endorsementKey: {
      public: enrollment.endorsementPublic,
      certificate: enrollment.endorsementCertificate,
      chain: enrollment.endorsementChain,
    },
    attestationKey: { public: enrollment.attestationPublic },
  })
  return {
    id: createId(service),
    enrollment,
    answer,
    evidence,
    evidenceSha256: keptEvidenceSha256(evidence),
    policy,
    now: new Date(service.clock.now()),
  }
}

/**
 * What the verifier knew and the Evidence does not hold, kept beside it so that it can be verified again. The secret of
 * the activation is spent: its one use was this answer.
 */
export interface AttestationContext {
  readonly audience: string
  readonly enrollmentId: string
  readonly name: string
  /** base64url, as `secret`. */
  readonly nonce: string
  readonly secret: string
  readonly pcrs: readonly number[]
  /** Unix milliseconds. */
  readonly challengedAt: number
  /** Null where the Evidence was refused before that was looked up. */
  readonly endorsementKind: EndorsementKind | null
  /** The platform's state that it was compared with. */
  readonly before: PlatformState | null
}

/** The context of an attempt. */
export function contextOf(
  service: Service,
  { enrollment }: Attempt,
  known: Pick<AttestationContext, 'endorsementKind' | 'before'>,
): AttestationContext {
  return {
    audience: service.settings.issuer,
    enrollmentId: enrollment.id,
    name: enrollment.name,
    nonce: encodeBase64url(enrollment.nonce),
    secret: encodeBase64url(enrollment.secret),
    pcrs: enrollment.pcrs,
    challengedAt: enrollment.createdAt,
    ...known,
  }
}
