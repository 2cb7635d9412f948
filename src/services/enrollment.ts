import { appraise } from '../core/appraisal/appraise.ts'
import { verifyLogsInSlices, type MeasuredPlatform } from '../core/appraisal/measured-platform.ts'
import type { AttestationResult } from '../core/appraisal/attestation-result.ts'
import type { PlatformState } from '../core/appraisal/platform-state.ts'
import type { EndorsementKind } from '../core/appraisal/subject.ts'
import { tpm2Format } from '../core/formats/tpm2/format.ts'
import type { VerifiedEvidence } from '../core/verifier/evidence.ts'
import type { EnrollmentRecord, HostRecord } from '../ports/records.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { activePolicy } from './appraisal-policy.ts'
import {
  beginAttempt,
  challengeOfEnrollment,
  type Attempt,
  type EnrollmentAnswer,
} from './attempt.ts'
import { auditEntry } from './audit-entry.ts'
import { requireTaken } from './challenge.ts'
import { loadEndorsementBasis, requireVouched } from './enrollment-keys.ts'
import { evidenceFacts, recordForgery, recordRefusal } from './enrollment-refusal.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import { admitHost } from './host-admission.ts'
import { issueCertificate, type IssuedCertificate } from './issuance.ts'
import { keepAttempt } from './kept-attestation.ts'
import { endorsementId, hostIdOf, hostSpiffeId } from './naming.ts'
import { runInSlices } from './run-in-slices.ts'
import type { Service } from './service.ts'

/** A host that is in, with its first certificate. */
export interface EnrolledHost {
  readonly host: HostRecord
  readonly certificate: IssuedCertificate
  readonly attestationResult: AttestationResult
  /** The result as a signed EAR, compact JWS. */
  readonly ear: string
}

/** Evidence that verified, and on whose word its hardware is genuine. */
interface GenuineAttempt extends Attempt {
  readonly verified: VerifiedEvidence
  readonly endorsementKind: EndorsementKind
}

/** The same with its logs, and the host that its TPM is known as. */
export interface VerifiedAttempt extends GenuineAttempt {
  /** Keyed hash of the EK. */
  readonly endorsement: string
  readonly hostId: string
  /** The host as it was before; undefined at its first enrolment. */
  readonly host: HostRecord | undefined
  readonly before: PlatformState | undefined
  /** What its logs show. */
  readonly measured: MeasuredPlatform
}

type KnownAttempt = Omit<VerifiedAttempt, 'measured'>

/**
 * Second half of an enrolment: takes the challenge out for good, verifies the Evidence against what this service
 * computed, appraises it, admits the host, and issues its certificate. A host that is known by its TPM keeps its id,
 * and what its TPM shows now must follow what it showed before.
 *
 * @throws ServiceError `enrollment-unknown`, `challenge-used`, `challenge-expired`, `attestation-contraindicated`,
 *   `attestation-superseded`, `attestation-rollback`, `policy-empty`, `host-revoked`, `host-name-in-use`,
 *   `key-in-use`, `endorsement-…`; EvidenceError with the checks that ran
 * @see RFC 9334 §7
 */
export async function proveEnrollment(
  service: Service,
  id: string,
  answer: EnrollmentAnswer,
): Promise<EnrolledHost> {
  const enrollment = await takeEnrollment(service, id)
  const { policy } = await activePolicy(service)
  const attempt = beginAttempt(service, enrollment, answer, policy)
  const known = await findHost(service, await verifyAnswer(service, attempt))
  const verified = await measureHost(service, known)
  const result = appraiseAttempt(service, verified)
  await requireAccepted(service, verified, result)
  const kept = await keep(service, verified, result, false)
  const host = await admitHost(service, verified, result, kept)
  const certificate = await issueCertificate(service, {
    kind: 'host',
    id: host.id,
    spiffeId: hostSpiffeId(service, host.id),
    key: verified.verified.subjectKey,
    attestation: host,
  })
  return { host, certificate, attestationResult: result, ear: kept.attestation.ear }
}

async function takeEnrollment(service: Service, id: string): Promise<EnrollmentRecord> {
  const answer = await service.store.enrollments.take(id, service.clock.now())
  if (answer === 'unknown') throw new ServiceError('enrollment-unknown', { found: id })
  return requireTaken(answer)
}

/** Everything anew, both keys among it: what was admitted when they were challenged may have been taken back. */
async function verifyAnswer(service: Service, attempt: Attempt): Promise<GenuineAttempt> {
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

/**
 * The host of this TPM. Its state must be the one of when the challenge was made: only then is Evidence that shows an
 * earlier one a sign that the TPM was set back, and not of two answers that crossed.
 */
async function findHost(service: Service, attempt: GenuineAttempt): Promise<KnownAttempt> {
  const endorsement = endorsementId(service, attempt.verified.endorsementKey.spkiSha256)
  const host = await service.store.hosts.findByEndorsement(endorsement)
  const refuse = async (code: ServiceErrorCode): Promise<unknown> =>
    recordRefusal(service, attempt.enrollment, new ServiceError(code, { found: host?.id ?? '' }))
  if (host?.status === 'revoked') throw await refuse('host-revoked')
  if ((host?.stateVersion ?? 0) !== attempt.enrollment.hostStateVersion)
    throw await refuse('attestation-superseded')
  const hostId = host?.id ?? hostIdOf(service, endorsement)
  return { ...attempt, endorsement, hostId, host, before: stateOf(host) }
}

/** The logs of the boot, against the quote that verified and what was seen of the same boot before. */
async function measureHost(service: Service, attempt: KnownAttempt): Promise<VerifiedAttempt> {
  const { verified, received, policy, before } = attempt
  try {
    const work = verifyLogsInSlices(verified, received, policy, before)
    return { ...attempt, measured: await runInSlices(work) }
  } catch (cause) {
    throw await recordForgery(service, attempt, cause)
  }
}

function stateOf(host: HostRecord | undefined): PlatformState | undefined {
  const state = host?.platformState ?? null
  return state === null ? undefined : (JSON.parse(state) as PlatformState)
}

function appraiseAttempt(service: Service, attempt: VerifiedAttempt): AttestationResult {
  const { verified, measured, policy, now, evidenceSha256, endorsementKind, before } = attempt
  return appraise(verified, policy, {
    now,
    measured,
    evidenceSha256,
    endorsementKind,
    challengedAt: new Date(attempt.enrollment.createdAt),
    before,
    advisories: service.firmwareAdvisories,
    isEmulationAllowed: service.settings.attestation.assurance.includes('emulated'),
  })
}

async function requireAccepted(
  service: Service,
  attempt: VerifiedAttempt,
  result: AttestationResult,
): Promise<void> {
  if (result.rollback !== undefined)
    throw await revokeForRollback(service, attempt, result, result.rollback)
  if (result.isAccepted) return
  const kept = await keep(service, attempt, result, true)
  const code = attempt.policy.isEmpty ? 'policy-empty' : 'attestation-contraindicated'
  const refusal = refusalOf(code, result, kept)
  throw await recordRefusal(service, attempt.enrollment, refusal, { rule: result.rule, kept })
}

/** A TPM that was set back is not the one that was trusted: its host goes, with its log entry, in one transaction. */
async function revokeForRollback(
  service: Service,
  attempt: VerifiedAttempt,
  result: AttestationResult,
  rule: string,
): Promise<unknown> {
  const { host, enrollment, hostId } = attempt
  if (host === undefined) throw new TypeError('without a state before nothing goes back')
  const kept = await keep(service, attempt, result, false)
  const reason = `rollback of the TPM: ${rule}`
  const entry = auditEntry(service, 'host.revoked', `enrollment/${enrollment.id}`, hostId, {
    reason,
    rule,
    ...evidenceFacts(kept),
  })
  const change = { at: service.clock.now(), reason }
  const evidence = { ...kept, stateVersion: host.stateVersion }
  const answer = await service.store.hosts.revoke(hostId, change, entry, evidence)
  const code = answer === 'state-changed' ? 'attestation-superseded' : 'attestation-rollback'
  return recordRefusal(service, enrollment, refusalOf(code, result, kept), { rule })
}

function refusalOf(
  code: ServiceErrorCode,
  result: AttestationResult,
  kept: KeptAttestation,
): ServiceError {
  const details = { attestationResult: result.toJSON(), ear: kept.attestation.ear }
  return new ServiceError(code, { found: result.rollback ?? result.rule }, details)
}

function keep(
  service: Service,
  attempt: VerifiedAttempt,
  result: AttestationResult,
  isRefused: boolean,
): Promise<KeptAttestation> {
  const { endorsementKind, host, before, hostId } = attempt
  return keepAttempt(service, attempt, {
    verdict: result.verdict,
    hostId: isRefused && host === undefined ? null : hostId,
    isRefused,
    endorsementKind,
    before: before ?? null,
  })
}
