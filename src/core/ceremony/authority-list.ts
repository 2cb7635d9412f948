import type { CertificateListRequest } from '../revocation/certificate-list.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { parseCertificateList } from '../x509/crl.ts'
import { isSameName } from '../x509/name.ts'
import { isSignedBy, listFlaw } from '../x509/revocation-signer.ts'
import { CeremonyError } from './error.ts'

/**
 * Holds a list that is to be signed against the one before it: of the same issuer, with a lower number and no later
 * time, and nothing on it that is not on the next one. A certificate stays on the list at least until it is over; of the
 * few that an offline authority signs, it stays for good.
 *
 * @param previous DER CertificateList
 * @throws X509Error `crl-malformed`; CeremonyError `ceremony-list`
 * @see RFC 5280 §3.3, §5.2.3
 */
export function requireSuccession(
  previous: Uint8Array,
  next: Pick<CertificateListRequest, 'number' | 'thisUpdate' | 'revoked'>,
  issuer: Certificate,
): void {
  const list = parseCertificateList(previous)
  const flaw = isSameName(list.issuer, issuer.fields.subject)
    ? listFlaw(list, issuer)
    : 'a list of another issuer'
  if (flaw !== undefined) throw new CeremonyError('ceremony-list', { found: flaw })
  if (list.number >= BigInt(next.number))
    throw new CeremonyError('ceremony-list', {
      expected: `a number above ${list.number}`,
      found: String(next.number),
    })
  if (list.thisUpdate > next.thisUpdate)
    throw new CeremonyError('ceremony-list', {
      expected: `a list from ${new Date(list.thisUpdate).toISOString()} or later`,
    })
  const kept = new Set(next.revoked.map(({ serial }) => serial))
  const missing = [...list.revoked.keys()].find(serial => !kept.has(serial))
  if (missing !== undefined)
    throw new CeremonyError('ceremony-list', { expected: `${missing} on the list still` })
}

/**
 * The serial number of a certificate that the issuer signed, lower-case hex, as lists name it.
 *
 * @param certificate DER
 * @throws X509Error `certificate-malformed`; CeremonyError `ceremony-revoked`
 */
export function revokedSerial(certificate: Uint8Array, issuer: Certificate): string {
  const parsed = parseCertificate(certificate)
  if (
    !isSameName(parsed.fields.issuer, issuer.fields.subject) ||
    !isSignedBy(parsed.fields, issuer)
  )
    throw new CeremonyError('ceremony-revoked', {
      found: `certificate sha256:${parsed.fingerprint}`,
    })
  return Buffer.from(parsed.fields.serialNumber).toString('hex')
}
