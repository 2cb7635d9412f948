import type { CertificateRecord } from '../ports/credential-records.ts'
import type { ClientRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** A certificate of this service, and whom its key speaks for. */
export interface CertificateHolder {
  readonly certificate: CertificateRecord
  readonly client: ClientRecord
}

/**
 * The client behind a TLS client certificate: one that this service issued, that is in its time and not revoked, for
 * the key that is still the client's. The handshake has proven the key.
 *
 * @param thumbprint base64url SHA-256 of the certificate
 * @throws ServiceError `certificate-unknown`
 * @see RFC 8705 §2.1
 */
export async function findCertificateHolder(
  service: Service,
  thumbprint: string,
): Promise<CertificateHolder> {
  const certificate = await service.store.certificates.find(thumbprint)
  const now = service.clock.now()
  const valid =
    certificate?.status === 'issued' && certificate.notBefore <= now && certificate.notAfter > now
  const client = valid ? await service.clients.find(certificate.jkt, now) : undefined
  if (certificate === undefined || client === undefined)
    throw new ServiceError('certificate-unknown')
  return { certificate, client }
}
