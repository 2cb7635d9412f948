import { createChallenge } from '../core/verifier/challenge.ts'
import type { EndorsementKey } from '../core/verifier/endorsement-key.ts'
import type { EnrollmentRecord } from '../ports/records.ts'
import { activePolicy } from './appraisal-policy.ts'
import { auditEntry } from './audit-entry.ts'
import { fetchMissing, type CompletedRequest } from './endorsement-fetch.ts'
import {
  verifyEnrollmentKeys,
  type EnrollmentKeys,
  type EnrollmentRequest,
} from './enrollment-keys.ts'
import { fetchedFacts, recordRefusal } from './enrollment-refusal.ts'
import { ServiceError } from './error.ts'
import { createEnrollmentId, endorsementId } from './naming.ts'
import type { Service } from './service.ts'

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

/**
 * First half of an enrolment: checks the EK certificate and both keys, then makes the challenge. Nothing is
 * challenged that could not be admitted.
 *
 * @throws EvidenceError with the checks that ran; ServiceError `policy-empty`, `endorsement-…`
 * @see TPM 2.0 Part 1 r01.59 §24, RFC 9334 §8.1
 */
export async function requestEnrollment(
  service: Service,
  request: EnrollmentRequest,
): Promise<EnrollmentChallenge> {
  const id = createEnrollmentId(service)
  const pcrs = await requirePcrs(service)
  const completed = await fetchMissing(service, request)
  const { endorsementKey, attestationKey } = await verifyKeys(service, id, completed)
  const secret = service.random.bytes(32)
  const challenge = createChallenge({
    endorsementKey,
    attestationKey,
    secret,
    random: length => service.random.bytes(length),
  })
  const record = await recordChallenge(service, { id, ...completed, secret, pcrs, endorsementKey })
  return {
    id,
    nonce: record.nonce,
    ...challenge,
    pcrSelection: { sha256: pcrs },
    audience: service.settings.issuer,
    expiresAt: record.expiresAt,
  }
}

/** The PCRs that the policy in force wants quoted, ascending. */
async function requirePcrs(service: Service): Promise<readonly number[]> {
  const { policy } = await activePolicy(service)
  if (policy.isEmpty) throw new ServiceError('policy-empty', { found: policy.id })
  return [...policy.document.pcrs.sha256].sort((left, right) => left - right)
}

async function verifyKeys(
  service: Service,
  id: string,
  { request, fetched }: CompletedRequest,
): Promise<EnrollmentKeys> {
  try {
    return await verifyEnrollmentKeys(service, request)
  } catch (cause) {
    throw await recordRefusal(service, { id, name: request.name }, cause, { fetched })
  }
}

interface Challenged extends CompletedRequest {
  readonly id: string
  readonly secret: Uint8Array
  readonly pcrs: readonly number[]
  readonly endorsementKey: EndorsementKey
}

async function recordChallenge(
  service: Service,
  { id, request, fetched, secret, pcrs, endorsementKey }: Challenged,
): Promise<EnrollmentRecord> {
  const endorsement = endorsementId(service, endorsementKey.spkiSha256)
  const before = await service.store.hosts.findByEndorsement(endorsement)
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
    pcrs,
    hostStateVersion: before?.stateVersion ?? 0,
    hsm: null,
    createdAt,
    expiresAt: createdAt + service.settings.attestation.challengeSeconds * 1000,
  }
  const entry = auditEntry(service, 'enrollment.challenged', `enrollment/${id}`, request.name, {
    endorsement,
    anchor: endorsementKey.anchorFingerprint ?? null,
    ...fetchedFacts(fetched),
  })
  await service.store.enrollments.create(record, entry)
  return record
}
