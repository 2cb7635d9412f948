import { parseCertificate } from '../x509/certificate.ts'
import { isSameName } from '../x509/name.ts'
import { isSignedBy } from '../x509/revocation-signer.ts'
import { CeremonyError } from './error.ts'

/**
 * Holds the file of an issuer to what it may have above its own certificate, since all of it is handed on: each
 * certificate signed by the next, and none there twice.
 *
 * @param chain DER, the issuer's own certificate first
 * @throws X509Error `certificate-malformed`; CeremonyError `ceremony-above`
 * @see RFC 5280 §6.1
 */
export function requireAbove(chain: readonly Uint8Array[]): void {
  const certificates = chain.map(parseCertificate)
  for (const [index, above] of certificates.entries()) {
    const below = certificates[index - 1]
    if (below === undefined) continue
    if (!isSameName(below.fields.issuer, above.fields.subject) || !isSignedBy(below.fields, above))
      throw new CeremonyError('ceremony-above', {
        expected: `the certificate above sha256:${below.fingerprint}`,
        found: `sha256:${above.fingerprint}`,
      })
  }
  const seen = new Set(certificates.map(({ fingerprint }) => fingerprint))
  if (seen.size < chain.length)
    throw new CeremonyError('ceremony-above', { expected: 'each certificate once' })
}
