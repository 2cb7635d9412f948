import { createHash } from 'node:crypto'
import {
  issueCertificateList,
  prepareCertificateList,
} from '../core/revocation/certificate-list.ts'
import { crlUrl, shardCount, type StatusLocation } from '../core/revocation/location.ts'
import type {
  CertificateListRecord,
  CertificateListSummary,
  ListPlace,
} from '../ports/certificate-status.ts'
import type { Authority } from './authorities.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** How long a list is good, and how long before its end the next one is made: what a signer may be down. */
const validityMs = 6 * 3_600_000
const renewalMs = 3 * 3_600_000

/** Where the status of certificates of an authority is told. */
export function statusLocation(
  { settings }: Pick<Service, 'settings'>,
  authorityId: string,
): StatusLocation {
  return { base: settings.issuer, authorityId }
}

/**
 * Makes one list and publishes it. The list that is published stays until the next one is signed, and a list that was
 * overtaken by a later one is thrown away.
 *
 * @returns the list, or none where it was overtaken
 * @throws CrlLintError for a list that must not be signed; whatever the signer throws
 * @see RFC 5280 §5
 */
export async function buildCertificateList(
  service: Service,
  actor: string,
  authority: Authority,
  shard: number,
): Promise<readonly CertificateListSummary[]> {
  const place = { authorityId: authority.id, shard }
  const thisUpdate = service.clock.now()
  const { number, revoked, counted } = await service.store.certificateStatus.draft(
    place,
    thisUpdate,
  )
  const request = {
    issuer: issuingCertificate(authority),
    signatureAlgorithm: authority.signer.algorithm,
    number,
    url: crlUrl(statusLocation(service, authority.id), shard),
    thisUpdate,
    nextUpdate: thisUpdate + validityMs,
    // Another node's clock may be ahead: a list tells of no time after its own.
    revoked: revoked.map(row => ({ ...row, revokedAt: Math.min(row.revokedAt, thisUpdate) })),
    throwaway: service.issuance.throwaway,
  }
  const bytes = await issueCertificateList(prepareCertificateList(request), authority.signer)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const { nextUpdate } = request
  const summary = { ...place, number, thisUpdate, nextUpdate, revoked: revoked.length, sha256 }
  const detail = { number, revoked: revoked.length, sha256 }
  const entry = auditEntry(service, 'crl.published', actor, request.url, detail)
  const kept = { ...summary, counted, bytes }
  const answer = await service.store.certificateStatus.publish(kept, entry)
  return answer === 'older' ? [] : [summary]
}

function issuingCertificate({ chain: [issuer] }: Authority): Uint8Array {
  if (issuer === undefined) throw new TypeError('an authority has a chain')
  return issuer
}

/**
 * Makes every list that does not tell all that was revoked, or that ends soon, of each authority that still answers. One
 * that cannot be made now keeps none of the others back.
 *
 * @returns what was published
 * @throws AggregateError of whatever went wrong, once the rest is done
 */
export async function refreshCertificateLists(
  service: Service,
): Promise<readonly CertificateListSummary[]> {
  const published: CertificateListSummary[] = []
  const failures: unknown[] = []
  for (const authority of service.authorities.answering(service.clock.now())) {
    const due = await service.store.certificateStatus.listDue(
      authority.id,
      service.clock.now() + renewalMs,
      shardCount,
    )
    for (const shard of due) {
      try {
        published.push(...(await buildCertificateList(service, 'service', authority, shard)))
      } catch (cause) {
        failures.push(cause)
        // Its signer is down for the others as well.
        break
      }
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'revocation lists were not made')
  return published
}

/**
 * Makes every list of the authorities that still answer, due or not.
 *
 * @throws as {@link buildCertificateList}
 */
export async function buildAllCertificateLists(
  service: Service,
  actor: string,
): Promise<readonly CertificateListSummary[]> {
  const published: CertificateListSummary[] = []
  for (const authority of service.authorities.answering(service.clock.now())) {
    for (let shard = 0; shard < shardCount; shard += 1)
      published.push(...(await buildCertificateList(service, actor, authority, shard)))
  }
  return published
}

/** The published lists, with the addresses under which they are fetched. */
export async function listCertificateLists(
  service: Service,
): Promise<readonly (CertificateListSummary & { readonly url: string })[]> {
  const lists = await service.store.certificateStatus.list()
  return lists.map(list => ({
    ...list,
    url: crlUrl(statusLocation(service, list.authorityId), list.shard),
  }))
}

/**
 * The list that is published, as it was signed: whatever the signer does now.
 *
 * @throws ServiceError `crl-unknown`
 */
export async function readCertificateList(
  service: Pick<Service, 'store'>,
  place: ListPlace,
): Promise<CertificateListRecord> {
  const list = await service.store.certificateStatus.find(place)
  if (list === undefined)
    throw new ServiceError('crl-unknown', { found: `${place.authorityId}/${place.shard}` })
  return list
}
