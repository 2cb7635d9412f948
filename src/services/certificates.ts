import { statusUrls } from '../core/revocation/location.ts'
import type { CertificateRecord } from '../ports/credential-records.ts'
import { statusLocation } from './certificate-lists.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** A certificate as it was recorded, and where the world is told of its status. */
export interface ShownCertificate extends CertificateRecord {
  readonly isExpired: boolean
  /** Level at which its subject's host was attested last; null where the host is not known. */
  readonly assurance: string | null
  readonly crlUrl: string
  readonly ocspUrl: string
  readonly issuerUrl: string
}

const listLimit = 1_000

/** The newest certificates, at most a thousand. */
export async function listCertificates(service: Service): Promise<readonly CertificateRecord[]> {
  return await service.store.certificateStatus.listCertificates(listLimit)
}

/**
 * One certificate by its serial number.
 *
 * @param serial lower-case hex
 * @throws ServiceError `serial-unknown`
 */
export async function showCertificate(service: Service, serial: string): Promise<ShownCertificate> {
  const record = await service.store.certificateStatus.findCertificate(serial)
  if (record === undefined) throw new ServiceError('serial-unknown', { found: serial })
  const { crl, ocsp, issuer } = statusUrls(statusLocation(service, record.authorityId), serial)
  return {
    ...record,
    isExpired: record.notAfter < service.clock.now(),
    assurance: await assuranceOf(service, record),
    crlUrl: crl,
    ocspUrl: ocsp,
    issuerUrl: issuer,
  }
}

async function assuranceOf(
  { store }: Service,
  { subjectKind, subjectId }: CertificateRecord,
): Promise<string | null> {
  const hostId = subjectKind === 'host' ? subjectId : (await store.agents.find(subjectId))?.hostId
  const host = hostId === undefined ? undefined : await store.hosts.find(hostId)
  return host?.assurance ?? null
}
