import type { AttestationRecord, AttestationSummary } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import { findHost } from './hosts.ts'
import type { Service } from './service.ts'

const listLimit = 200

/**
 * The verdict that a host stands on now, and the signed EAR of it.
 *
 * @throws ServiceError `host-unknown`, `attestation-unknown`
 */
export async function currentAttestation(
  service: Pick<Service, 'store'>,
  hostId: string,
): Promise<AttestationRecord> {
  const host = await findHost(service, hostId)
  const record =
    host.attestationId === null
      ? undefined
      : await service.store.attestations.find(host.attestationId)
  if (record === undefined) throw new ServiceError('attestation-unknown', { found: hostId })
  return record
}

/**
 * What is kept of a host's attestations, newest first, those that were refused among them.
 *
 * @throws ServiceError `host-unknown`
 */
export async function listAttestations(
  service: Pick<Service, 'store'>,
  hostId: string,
): Promise<AttestationSummary[]> {
  await findHost(service, hostId)
  return service.store.attestations.list(hostId, listLimit)
}

/**
 * One attestation, also a refused one that no host came of.
 *
 * @throws ServiceError `attestation-unknown`
 */
export async function findAttestation(
  service: Pick<Service, 'store'>,
  id: string,
): Promise<AttestationRecord> {
  const record = await service.store.attestations.find(id)
  if (record === undefined) throw new ServiceError('attestation-unknown', { found: id })
  return record
}

/** All that is kept, newest first. */
export async function listAllAttestations(
  service: Pick<Service, 'store'>,
): Promise<AttestationSummary[]> {
  return service.store.attestations.list(null, listLimit)
}
