import type { AnchorRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/**
 * Admits a manufacturer's CA certificate. From then on a TPM whose EK certificate chains to it may ask to enrol, at
 * the assurance level that the operator stated.
 *
 * @throws ServiceError `anchor-exists`
 */
export async function admitAnchor(service: Service, anchor: AnchorRecord): Promise<AnchorRecord> {
  const entry = auditEntry(service, 'anchor.added', anchor.addedBy, anchor.fingerprint, {
    name: anchor.name,
    vendor: anchor.vendor,
    assurance: anchor.assurance,
  })
  const answer = await service.store.anchors.add(anchor, entry)
  if (answer === 'exists') throw new ServiceError('anchor-exists', { found: anchor.fingerprint })
  return anchor
}

/** The admitted anchors, oldest first. */
export async function listAnchors(service: Service): Promise<AnchorRecord[]> {
  return service.store.anchors.list()
}
