import type { AttestationResult } from '../core/appraisal/attestation-result.ts'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { EnrollmentRecord, HostRecord } from '../ports/records.ts'
import type { RevocationAct } from '../ports/revocation.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { activePolicy } from './appraisal-policy.ts'
import { auditEntry } from './audit-entry.ts'
import { requireTaken } from './challenge.ts'
import { evidenceFacts, recordRefusal } from './enrollment-refusal.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import { admitHost } from './host-admission.ts'
import { judgeHsm } from './hsm-attempt.ts'
import type { HsmAnswer } from './hsm-evidence.ts'
import { issueCertificate, type IssuedCertificate } from './issuance.ts'
import type { JudgedAttempt } from './judged-attempt.ts'
import { keepAttempt } from './kept-attestation.ts'
import { hostSpiffeId } from './naming.ts'
import type { Service } from './service.ts'
import { judgeTpm, type TpmAnswer } from './tpm-attempt.ts'

/** A host's answer to its challenge, as it came in. */
export type EnrollmentAnswer =
  | { readonly hardware: 'tpm'; readonly answer: TpmAnswer }
  | { readonly hardware: 'hsm'; readonly answer: HsmAnswer }

/** A host that is in, with its first certificate. */
export interface EnrolledHost {
  readonly host: HostRecord
  readonly certificate: IssuedCertificate
  readonly attestationResult: AttestationResult<PlatformState | null>
  /** The result as a signed EAR, compact JWS. */
  readonly ear: string
}

/**
 * Second half of an enrolment: takes the challenge out for good, verifies the Evidence against what this service
 * computed, appraises it, admits the host, and issues its certificate. A host that is known by its hardware keeps its
 * id, and what a TPM shows now must follow what it showed before.
 *
 * @throws ServiceError `enrollment-unknown`, `challenge-used`, `challenge-expired`, `attestation-contraindicated`,
 *   `attestation-superseded`, `attestation-rollback`, `policy-empty`, `host-revoked`, `host-name-in-use`,
 *   `key-in-use`, `endorsement-…`, `hsm-…`, `authorization-…`; EvidenceError with the checks that ran
 * @see RFC 9334 §7
 */
export async function proveEnrollment(
  service: Service,
  id: string,
  answer: EnrollmentAnswer,
  sourceAddress?: string,
): Promise<EnrolledHost> {
  const enrollment = await takeEnrollment(service, id)
  const { policy } = await activePolicy(service)
  const attempt = await judgeAnswer(service, enrollment, answer, policy)
  const { result, key } = attempt
  await requireAccepted(service, attempt)
  const kept = await keep(service, attempt, false)
  const host = await admitHost(service, { ...attempt, sourceAddress }, kept)
  const certificate = await issueCertificate(service, {
    kind: 'host',
    id: host.id,
    spiffeId: hostSpiffeId(service, host.id),
    principal: { kind: 'host', host },
    sourceAddress,
    key,
    attestation: host,
  })
  return { host, certificate, attestationResult: result, ear: kept.attestation.ear }
}

async function takeEnrollment(service: Service, id: string): Promise<EnrollmentRecord> {
  const answer = await service.store.enrollments.take(id, service.clock.now())
  if (answer === 'unknown') throw new ServiceError('enrollment-unknown', { found: id })
  return requireTaken(answer)
}

/** The challenge says what hardware it is for; an answer of other hardware is none. */
async function judgeAnswer(
  service: Service,
  enrollment: EnrollmentRecord,
  sent: EnrollmentAnswer,
  policy: AppraisalPolicy,
): Promise<JudgedAttempt> {
  const { hsm } = enrollment
  if (sent.hardware === 'tpm' && hsm === null)
    return judgeTpm(service, enrollment, sent.answer, policy)
  if (sent.hardware === 'hsm' && hsm !== null)
    return judgeHsm(service, enrollment, { hsm, answer: sent.answer }, policy)
  const expected = `the answer of ${hsm === null ? 'a TPM' : 'an HSM'}`
  const refusal = new ServiceError('request-malformed', { expected })
  throw await recordRefusal(service, enrollment, refusal)
}

async function requireAccepted(service: Service, attempt: JudgedAttempt): Promise<void> {
  const { result } = attempt
  if (result.rollback !== undefined)
    throw await revokeForRollback(service, attempt, result.rollback)
  if (result.isAccepted) return
  const kept = await keep(service, attempt, true)
  const code = attempt.policy.isEmpty ? 'policy-empty' : 'attestation-contraindicated'
  const refusal = refusalOf(code, result, kept)
  throw await recordRefusal(service, attempt.enrollment, refusal, { rule: result.rule, kept })
}

/** A TPM that was set back is not the one that was trusted: its host goes, with its log entry, in one transaction. */
async function revokeForRollback(
  service: Service,
  attempt: JudgedAttempt,
  rule: string,
): Promise<unknown> {
  const { host, enrollment, hostId, result } = attempt
  if (host === undefined) throw new TypeError('without a state before nothing goes back')
  const kept = await keep(service, attempt, false, true)
  const author = `enrollment/${enrollment.id}`
  const facts = { rule, ...evidenceFacts(kept) }
  const entry = auditEntry(service, 'host.revoked', author, hostId, facts)
  const act: RevocationAct = {
    target: { kind: 'host', id: hostId },
    at: service.clock.now(),
    reasonCode: 'keyCompromise',
    reason: `rollback of the TPM: ${rule}`,
    author,
  }
  const evidence = { ...kept, stateVersion: host.stateVersion }
  const answer = await service.store.revocations.revoke(act, entry, evidence)
  const code = answer === 'state-changed' ? 'attestation-superseded' : 'attestation-rollback'
  return recordRefusal(service, enrollment, refusalOf(code, result, kept), { rule })
}

function refusalOf(
  code: ServiceErrorCode,
  result: JudgedAttempt['result'],
  kept: KeptAttestation,
): ServiceError {
  const { ear } = kept.attestation
  const details = { attestationResult: result.toJSON(), ...(ear === '' ? {} : { ear }) }
  return new ServiceError(code, { found: result.rollback ?? result.rule }, details)
}

function keep(
  service: Service,
  attempt: JudgedAttempt,
  isRefused: boolean,
  isEarOptional = isRefused,
): Promise<KeptAttestation> {
  const { endorsementKind, host, before, hostId, result } = attempt
  return keepAttempt(service, attempt, {
    verdict: result.verdict,
    hostId: isRefused && host === undefined ? null : hostId,
    isRefused,
    isEarOptional,
    endorsementKind,
    before: before ?? null,
  })
}
