import { isEqual } from '../core/bytes/equal.ts'
import { parseCertificateId } from '../core/issuance/certificate-id.ts'
import { prepareIssuer } from '../core/issuance/issuer.ts'
import { renewalIdOf } from '../core/issuance/renewal-request.ts'
import type { CertificateRecord, RenewalRecord } from '../ports/credential-records.ts'
import type { ClientRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import type { IssuedCertificate } from './issuance.ts'
import { clientId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * The certificate that such an identifier names.
 *
 * @param text RFC 9773 §4.1
 * @throws ServiceError `certificate-id-malformed`
 */
export async function findCertificateById(
  service: Service,
  text: string,
): Promise<CertificateRecord | undefined> {
  const id = parseCertificateId(text)
  if (id === undefined)
    throw new ServiceError('certificate-id-malformed', { found: text.slice(0, 100) })
  const serial = Buffer.from(id.serial).toString('hex')
  const record = await service.store.certificateStatus.findCertificate(serial)
  const [issuer] = (record && service.authorities.find(record.authorityId)?.chain) ?? []
  if (issuer === undefined) return undefined
  return isEqual(prepareIssuer(issuer).keyIdentifier, id.keyIdentifier) ? record : undefined
}

/**
 * How the renewal of a certificate of the caller is named; undefined where it names none.
 *
 * @throws ServiceError `renewal-certificate-unknown`, `renewal-certificate-revoked`, `certificate-id-malformed`
 */
export async function findRenewalId(
  service: Service,
  client: ClientRecord,
  replaces: string | undefined,
): Promise<string | undefined> {
  if (replaces === undefined) return undefined
  const record = await findCertificateById(service, replaces)
  const isOwn = record?.subjectId === clientId(client) && record.jkt === client.key.jkt
  if (record === undefined || !isOwn || record.x5t === null)
    throw new ServiceError('renewal-certificate-unknown', { found: replaces })
  // Whatever else took it back, a key that somebody else may use gets no certificate.
  if (record.revocationReason === 'keyCompromise')
    throw new ServiceError('renewal-certificate-revoked', { found: record.serial })
  return renewalIdOf(client.key.jkt, record.serial)
}

/** Between two looks at a certificate that another request is having signed, and for how long. */
const firstPauseMs = 10
const longestPauseMs = 500
const patienceMs = 15_000

/**
 * The certificate that answers a renewal already, once it is signed; undefined where there is none.
 *
 * @throws ServiceError `renewal-under-way` where it is not signed in time
 */
export async function findRenewed(
  service: Service,
  renewal: string,
): Promise<IssuedCertificate | undefined> {
  let waited = 0
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const record = await service.store.certificates.findRenewal(renewal, service.clock.now())
    if (record === undefined) return undefined
    if (record.encoded !== null) return answerOf(service, record, record.encoded)
    if (waited >= patienceMs) throw new ServiceError('renewal-under-way')
    await new Promise(resolve => void setTimeout(resolve, pause))
    waited += pause
  }
}

function answerOf(
  service: Service,
  { authorityId, serial, notAfter }: RenewalRecord,
  certificate: Uint8Array,
): IssuedCertificate {
  const authority = service.authorities.find(authorityId)
  if (authority === undefined) throw new ServiceError('authority-absent')
  return { chain: [certificate, ...authority.chain], serial, notAfter }
}
