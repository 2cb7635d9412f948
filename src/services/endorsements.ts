import type { EndorsementRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { endorsementId } from './naming.ts'
import type { Service } from './service.ts'

/** Keys that may wait for a decision at once: whoever can reach the service can put one in. */
const queueLimit = 1_000

/**
 * How an EK without certificate is known here. One that nobody has seen goes into the queue.
 *
 * @param spkiSha256 hex SHA-256 of the EK's SubjectPublicKeyInfo
 * @throws ServiceError `endorsement-pending`, `endorsement-refused`, `endorsement-queue-full`
 */
export async function requireEndorsed(
  service: Service,
  spkiSha256: string,
  hostName: string,
): Promise<'listed' | 'approved'> {
  const id = endorsementId(service, spkiSha256)
  const known = await service.store.endorsements.find(id)
  if (known === undefined) throw await enqueue(service, id, hostName)
  if (known.status === 'pending') throw new ServiceError('endorsement-pending', { found: id })
  if (known.status === 'refused') throw new ServiceError('endorsement-refused', { found: id })
  return known.status
}

async function enqueue(service: Service, id: string, hostName: string): Promise<ServiceError> {
  const record: EndorsementRecord = {
    id,
    status: 'pending',
    hostName,
    firstSeen: service.clock.now(),
    decidedAt: null,
    decidedBy: null,
  }
  const entry = auditEntry(service, 'endorsement.queued', 'service', id, { name: hostName })
  const answer = await service.store.endorsements.enqueue(record, queueLimit, entry)
  const code = answer === 'full' ? 'endorsement-queue-full' : 'endorsement-pending'
  return new ServiceError(code, { found: id })
}

/** The EKs without certificate: those that wait, then those that were decided on. */
export async function listEndorsements(service: Service): Promise<EndorsementRecord[]> {
  return service.store.endorsements.list()
}

/**
 * Approves an EK that waits. The operator gives the digest that the machine itself shows, so that nobody approves
 * blindly what came over the network.
 *
 * @param spkiSha256 hex SHA-256 of the EK's SubjectPublicKeyInfo, read at the machine
 * @throws ServiceError `endorsement-differs`, `endorsement-unknown`
 */
export async function approveEndorsement(
  service: Service,
  actor: string,
  id: string,
  spkiSha256: string,
): Promise<EndorsementRecord> {
  if (endorsementId(service, spkiSha256) !== id)
    throw new ServiceError('endorsement-differs', { found: id })
  return decide(service, actor, id, 'approved')
}

/**
 * Refuses an EK, also one that was approved or listed before. A host that is in already is revoked by itself.
 *
 * @throws ServiceError `endorsement-unknown`
 */
export async function refuseEndorsement(
  service: Service,
  actor: string,
  id: string,
): Promise<EndorsementRecord> {
  return decide(service, actor, id, 'refused')
}

/** Lists an EK before its machine ever comes. Kept as a keyed hash; the digest itself is forgotten. */
export async function listEndorsement(
  service: Service,
  actor: string,
  spkiSha256: string,
): Promise<EndorsementRecord> {
  return decide(service, actor, endorsementId(service, spkiSha256), 'listed')
}

async function decide(
  service: Service,
  actor: string,
  id: string,
  status: 'approved' | 'listed' | 'refused',
): Promise<EndorsementRecord> {
  const entry = auditEntry(service, `endorsement.${status}`, actor, id)
  const decision = { status, at: service.clock.now(), by: actor }
  const answer = await service.store.endorsements.decide(id, decision, entry)
  const record = await service.store.endorsements.find(id)
  if (answer === 'unknown' || record === undefined)
    throw new ServiceError('endorsement-unknown', { found: id })
  return record
}
