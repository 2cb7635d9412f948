import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import type { AttestationContext } from '../core/appraisal/attestation-context.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { envelopeSha256 } from '../core/formats/envelope.ts'
import type { ChallengeFacts } from '../core/formats/evidence-format.ts'
import type { EvidenceFormatId } from '../core/formats/format-table.ts'
import type { EnrollmentRecord } from '../ports/records.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'

/** One answer on its way from bytes to a verdict: each fact of it once. */
export interface Attempt {
  /** Of the attestation that will be kept of it. */
  readonly id: string
  readonly enrollment: EnrollmentRecord
  readonly format: EvidenceFormatId
  /** Both halves of what the host sent, as they will be kept. */
  readonly evidence: Uint8Array
  /** Hex. */
  readonly evidenceSha256: string
  /** The policy that it will be held against. */
  readonly policy: AppraisalPolicy
  readonly now: Date
}

/** Whether an answer to this challenge would be looked at: only then is a large one read. */
export async function isAnswerAwaited(service: Service, id: string): Promise<boolean> {
  return service.store.enrollments.isOpen(id, service.clock.now())
}

/** Takes an answer down before anything is looked at in it. */
export function beginAttempt(
  service: Service,
  enrollment: EnrollmentRecord,
  { format, evidence }: Pick<Attempt, 'format' | 'evidence'>,
  policy: AppraisalPolicy,
): Attempt {
  return {
    id: createId(service),
    enrollment,
    format,
    evidence,
    evidenceSha256: envelopeSha256(evidence),
    policy,
    now: new Date(service.clock.now()),
  }
}

/** What the challenge of an enrolment asked and bound. */
export function challengeOfEnrollment(
  service: Service,
  { id, nonce, secret, pcrs }: EnrollmentRecord,
): ChallengeFacts {
  return { audience: service.settings.issuer, enrollmentId: id, nonce, secret, pcrs }
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
