import { tokenSha256 } from '../core/formats/hsm/token.ts'
import type { HsmEnrollment } from '../ports/hsm-records.ts'
import type { EnrollmentRecord } from '../ports/records.ts'
import { activePolicy } from './appraisal-policy.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { createEnrollmentId, endorsementId } from './naming.ts'
import type { Service } from './service.ts'

/** What a host with an HSM says first: which token it has, and how its keys will be vouched for. Untrusted. */
export interface HsmEnrollmentRequest {
  readonly name: string
  readonly hsm: HsmEnrollment
}

/** What keys of the token are to be proven for, once. */
export interface HsmChallenge {
  readonly id: string
  readonly nonce: Uint8Array
  readonly audience: string
  readonly expiresAt: number
}

/**
 * First half of the enrolment of a host with an HSM. Nothing can be verified before there is a challenge: what a token
 * vouches for is a key that signed it.
 *
 * @throws ServiceError `policy-empty`, `hsm-level-closed`
 */
export async function requestHsmEnrollment(
  service: Service,
  { name, hsm }: HsmEnrollmentRequest,
): Promise<HsmChallenge> {
  await requireOpen(service, hsm)
  const id = createEnrollmentId(service)
  const endorsement = endorsementId(service, tokenSha256(hsm.token))
  const before = await service.store.hosts.findByEndorsement(endorsement)
  const createdAt = service.clock.now()
  const record: EnrollmentRecord = {
    id,
    name,
    nonce: service.random.bytes(32),
    secret: new Uint8Array(),
    endorsementCertificate: null,
    endorsementChain: [],
    endorsementPublic: new Uint8Array(),
    attestationPublic: new Uint8Array(),
    pcrs: [],
    hostStateVersion: before?.stateVersion ?? 0,
    hsm,
    createdAt,
    expiresAt: createdAt + service.settings.attestation.challengeSeconds * 1000,
  }
  const detail = { endorsement, format: hsm.format }
  const actor = `enrollment/${id}`
  const entry = auditEntry(service, 'enrollment.challenged', actor, name, detail)
  await service.store.enrollments.create(record, entry)
  const { nonce, expiresAt } = record
  return { id, nonce, audience: service.settings.issuer, expiresAt }
}

/** Nobody is challenged for a level that the policy in force admits in no case. */
async function requireOpen(service: Service, { format }: HsmEnrollment): Promise<void> {
  const { policy } = await activePolicy(service)
  if (policy.isEmpty) throw new ServiceError('policy-empty', { found: policy.id })
  const { assurance } = policy.document
  if (!assurance.includes(format) && !assurance.includes('emulated'))
    throw new ServiceError('hsm-level-closed', { expected: assurance.join(', '), found: format })
}
