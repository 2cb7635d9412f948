import { parseCertificate, type Certificate } from './certificate.ts'
import { X509Error } from './error.ts'
import { isSameName } from './name.ts'

/** As long as paths are at most. */
const stepLimit = 8

/**
 * Where the certificate is published that is missing above another one, as that one's highest known issuer says.
 * Nothing here is verified: the locations are as untrusted as the certificate.
 *
 * @param leaf DER
 * @param known DER certificates of authorities: what cannot be read among them is passed over
 * @param anchors DER certificates at which nothing is missing any more
 * @returns none where nothing is missing, or nothing is said
 * @see RFC 5280 §4.2.2.1, RFC 4158 §5.5; verification E10
 */
export function missingIssuerLocations(
  leaf: Uint8Array,
  known: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
): readonly string[] {
  const ends = readAll(anchors)
  const between = readAll(known)
  let [current] = readAll([leaf])
  for (let step = 0; step < stepLimit && current !== undefined; step += 1) {
    const child: Certificate = current
    if (ends.some(candidate => isIssuer(candidate, child))) return []
    current = between.find(candidate => isIssuer(candidate, child) && !candidate.isSelfIssued)
    if (current === undefined) return child.fields.extensions.authorityInformationAccess ?? []
  }
  return []
}

function isIssuer({ fields }: Certificate, child: Certificate): boolean {
  const wanted = child.fields.extensions.authorityKeyIdentifier?.keyIdentifier
  const offered = fields.extensions.subjectKeyIdentifier
  return (
    isSameName(fields.subject, child.fields.issuer) &&
    (wanted === undefined || offered === undefined || Buffer.compare(wanted, offered) === 0)
  )
}

function readAll(certificates: readonly Uint8Array[]): Certificate[] {
  return certificates.flatMap(bytes => {
    try {
      return [parseCertificate(bytes)]
    } catch (cause) {
      /* c8 ignore next -- the parser throws nothing else */
      if (!(cause instanceof X509Error)) throw cause
      return []
    }
  })
}
