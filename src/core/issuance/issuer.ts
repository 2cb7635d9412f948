import { parseCertificate } from '../x509/certificate.ts'

/** What every certificate below one issuing authority repeats, read once. */
export interface PreparedIssuer {
  /** DER Name. */
  readonly name: Uint8Array
  /** Its subject key identifier. */
  readonly keyIdentifier: Uint8Array
  /** Unix milliseconds between which the authority's own certificate is good. */
  readonly notBefore: number
  readonly notAfter: number
  /** Authorities that may stand below it; undefined where it does not say. */
  readonly pathLength: number | undefined
}

const prepared = new WeakMap<Uint8Array, PreparedIssuer>()

/**
 * Reads an issuing certificate (DER) once; the same bytes object is answered from memory.
 *
 * @throws X509Error `certificate-malformed`; TypeError for one that does not name its key
 */
export function prepareIssuer(certificate: Uint8Array): PreparedIssuer {
  const known = prepared.get(certificate)
  if (known !== undefined) return known
  const { subject, extensions, notBefore, notAfter } = parseCertificate(certificate).fields
  const keyIdentifier = extensions.subjectKeyIdentifier
  if (keyIdentifier === undefined) throw new TypeError('an issuing certificate names its key')
  const pathLength = extensions.basicConstraints?.pathLength
  const issuer = { name: subject.encoded, keyIdentifier, notBefore, notAfter, pathLength }
  prepared.set(certificate, issuer)
  return issuer
}
