import { appraise, type AttestationResult } from '../core/verifier/appraisal.ts'
import { verifyAttestationKey, type AttestationKey } from '../core/verifier/attestation-key.ts'
import { createChallenge } from '../core/verifier/challenge.ts'
import { verifyEndorsementKey, type EndorsementKey } from '../core/verifier/endorsement-key.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import { parseEvidence, verifyEvidence, type VerifiedEvidence } from '../core/verifier/evidence.ts'
import type { EnrollmentRecord, HostRecord } from '../ports/records.ts'
import { appraisalPolicy, quotedPcrs } from './appraisal-policy.ts'
import { auditEntry } from './audit-entry.ts'
import { requireTaken } from './challenge.ts'
import { ServiceError } from './error.ts'
import { issueCertificate, type IssuedCertificate } from './issuance.ts'
import { createId, endorsementId, hostIdOf, hostSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/** What a host shows first: who manufactured it, and the key it wants to attest with. Bytes, untrusted. */
export interface EnrollmentRequest {
  readonly name: string
  readonly endorsementKey: {
    readonly public: Uint8Array
    readonly certificate: Uint8Array
    readonly chain: readonly Uint8Array[]
  }
  readonly attestationKey: { readonly public: Uint8Array }
}

/** What only the TPM that holds both keys can answer. */
export interface EnrollmentChallenge {
  readonly id: string
  readonly nonce: Uint8Array
  readonly credentialBlob: Uint8Array
  readonly encryptedSecret: Uint8Array
  /** PCRs of the SHA-256 bank to quote. */
  readonly pcrSelection: { readonly sha256: readonly number[] }
  readonly audience: string
  readonly expiresAt: number
}

/** A host that is in, with its first certificate. */
export interface EnrolledHost {
  readonly host: HostRecord
  readonly certificate: IssuedCertificate
  readonly attestationResult: AttestationResult
}

/**
 * First half of an enrolment: checks the EK certificate and both keys, then makes the challenge. Nothing is
 * challenged that could not be admitted.
 *
 * @throws EvidenceError with the checks that ran
 * @see TPM 2.0 Part 1 r01.59 §24, RFC 9334 §8.1
 */
export async function requestEnrollment(
  service: Service,
  request: EnrollmentRequest,
): Promise<EnrollmentChallenge> {
  const id = createId(service)
  const { endorsementKey, attestationKey } = await verifyKeys(service, id, request)
  const secret = service.random.bytes(32)
  const challenge = createChallenge({
    endorsementKey,
    attestationKey,
    secret,
    random: length => service.random.bytes(length),
  })
  const record = await recordChallenge(service, id, request, secret, endorsementKey)
  return {
    id,
    nonce: record.nonce,
    ...challenge,
    pcrSelection: quotedPcrs(service),
    audience: service.settings.issuer,
    expiresAt: record.expiresAt,
  }
}

async function verifyKeys(
  service: Service,
  id: string,
  request: EnrollmentRequest,
): Promise<{ endorsementKey: EndorsementKey; attestationKey: AttestationKey }> {
  const anchors = await service.store.anchors.list()
  try {
    const endorsementKey = verifyEndorsementKey({
      ...request.endorsementKey,
      anchors,
      now: new Date(service.clock.now()),
    })
    return { endorsementKey, attestationKey: verifyAttestationKey(request.attestationKey) }
  } catch (cause) {
    throw await recordRefusal(service, id, request.name, cause)
  }
}

async function recordChallenge(
  service: Service,
  id: string,
  request: EnrollmentRequest,
  secret: Uint8Array,
  endorsementKey: EndorsementKey,
): Promise<EnrollmentRecord> {
  const createdAt = service.clock.now()
  const record: EnrollmentRecord = {
    id,
    name: request.name,
    nonce: service.random.bytes(32),
    secret,
    endorsementCertificate: request.endorsementKey.certificate,
    endorsementChain: request.endorsementKey.chain,
    endorsementPublic: request.endorsementKey.public,
    attestationPublic: request.attestationKey.public,
    createdAt,
    expiresAt: createdAt + service.settings.attestation.challengeSeconds * 1000,
  }
  const entry = auditEntry(service, 'enrollment.challenged', `enrollment/${id}`, request.name, {
    endorsement: endorsementId(service, endorsementKey.spkiSha256),
    anchor: endorsementKey.anchorFingerprint,
  })
  await service.store.enrollments.create(record, entry)
  return record
}

/** The host's answer, as it came in. */
export type EnrollmentEvidence = Parameters<typeof parseEvidence>[0]

/**
 * Second half: takes the challenge out for good, verifies the Evidence against what this service computed,
 * appraises it, admits the host, and issues its certificate.
 *
 * @throws ServiceError `enrollment-unknown`, `challenge-used`, `challenge-expired`, `attestation-contraindicated`,
 *   `host-revoked`, `key-in-use`; EvidenceError with the checks that ran
 * @see RFC 9334 §7
 */
export async function proveEnrollment(
  service: Service,
  id: string,
  answer: EnrollmentEvidence,
): Promise<EnrolledHost> {
  const enrollment = await takeEnrollment(service, id)
  const { evidence, endorsementKey } = await verifyAnswer(service, enrollment, answer)
  const attestationResult = await appraiseEvidence(service, enrollment, evidence)
  const host = await admitHost(service, enrollment, endorsementKey, evidence, attestationResult)
  const certificate = await issueCertificate(service, {
    kind: 'host',
    id: host.id,
    spiffeId: hostSpiffeId(service, host.id),
    key: evidence.subjectKey,
    attestation: host,
  })
  return { host, certificate, attestationResult }
}

async function takeEnrollment(service: Service, id: string): Promise<EnrollmentRecord> {
  const answer = await service.store.enrollments.take(id, service.clock.now())
  if (answer === 'unknown') throw new ServiceError('enrollment-unknown', { found: id })
  return requireTaken(answer)
}

async function verifyAnswer(
  service: Service,
  enrollment: EnrollmentRecord,
  answer: EnrollmentEvidence,
): Promise<{ evidence: VerifiedEvidence; endorsementKey: EndorsementKey }> {
  const keys = await verifyKeys(service, enrollment.id, {
    name: enrollment.name,
    endorsementKey: {
      public: enrollment.endorsementPublic,
      certificate: enrollment.endorsementCertificate,
      chain: enrollment.endorsementChain,
    },
    attestationKey: { public: enrollment.attestationPublic },
  })
  try {
    const evidence = verifyEvidence(parseEvidence(answer), {
      ...keys,
      audience: service.settings.issuer,
      enrollmentId: enrollment.id,
      nonce: enrollment.nonce,
      secret: enrollment.secret,
      pcrSelection: quotedPcrs(service),
    })
    return { evidence, endorsementKey: keys.endorsementKey }
  } catch (cause) {
    throw await recordRefusal(service, enrollment.id, enrollment.name, cause)
  }
}

async function appraiseEvidence(
  service: Service,
  enrollment: EnrollmentRecord,
  evidence: VerifiedEvidence,
): Promise<AttestationResult> {
  const result = appraise(evidence, appraisalPolicy(service), {
    now: new Date(service.clock.now()),
  })
  if (result.status === 'affirming') return result
  const entry = auditEntry(
    service,
    'enrollment.refused',
    `enrollment/${enrollment.id}`,
    enrollment.name,
    {
      code: 'attestation-contraindicated',
      rule: result.rule,
      evidence: result.evidenceSha256,
    },
  )
  await service.store.enrollments.refuse(enrollment.id, entry)
  throw new ServiceError(
    'attestation-contraindicated',
    { found: result.rule },
    { attestationResult: result.toJSON() },
  )
}

async function admitHost(
  service: Service,
  enrollment: EnrollmentRecord,
  endorsementKey: EndorsementKey,
  evidence: VerifiedEvidence,
  result: AttestationResult,
): Promise<HostRecord> {
  const known = endorsementId(service, endorsementKey.spkiSha256)
  const before = await service.store.hosts.findByEndorsement(known)
  const host: HostRecord = {
    id: before?.id ?? hostIdOf(service, known),
    name: enrollment.name,
    endorsementId: known,
    attestationPublic: enrollment.attestationPublic,
    assurance: result.assurance,
    status: 'active',
    enrolledAt: before?.enrolledAt ?? service.clock.now(),
    attestedAt: result.issuedAt.getTime(),
    attestationExpiresAt: result.expiresAt.getTime(),
    evidenceSha256: result.evidenceSha256,
    attestationResult: JSON.stringify(result),
    jkt: evidence.subjectKey.jkt,
    revokedAt: null,
    revocationReason: null,
  }
  const entry = auditEntry(service, 'host.enrolled', `enrollment/${enrollment.id}`, host.id, {
    name: host.name,
    endorsement: known,
    assurance: host.assurance,
    evidence: host.evidenceSha256,
    policy: result.policyId,
    jkt: host.jkt,
  })
  const key = { jkt: host.jkt, jwk: JSON.stringify(evidence.subjectKey.jwk) }
  const answer = await service.store.hosts.admit(host, key, entry)
  if (answer === 'done') return host
  throw await recordRefusal(
    service,
    enrollment.id,
    enrollment.name,
    answer === 'revoked'
      ? new ServiceError('host-revoked', { found: host.id })
      : new ServiceError('key-in-use', { found: host.jkt }),
  )
}

/** Writes the refusal with its checks into the log, and gives back what is to be thrown. */
async function recordRefusal(
  service: Service,
  id: string,
  name: string,
  cause: unknown,
): Promise<unknown> {
  if (!(cause instanceof EvidenceError || cause instanceof ServiceError)) return cause
  const checks = cause instanceof EvidenceError ? cause.checks : []
  const entry = auditEntry(service, 'enrollment.refused', `enrollment/${id}`, name, {
    code: cause.code,
    checks: checks.map(check => `${check.code}: ${check.outcome}`),
  })
  await service.store.enrollments.refuse(id, entry)
  return cause
}
