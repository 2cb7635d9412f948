import {
  assembleCertificate,
  commonName,
  encodeSigned,
  serialNumber,
  type ThrowawaySigners,
} from './assembly.ts'
import { validityOf, type CertificateSigner } from './credential.ts'
import { prepareIssuer } from './issuer.ts'
import type { CertificateProfile } from './profile.ts'

/** What the service's own TLS certificate is made of. */
export interface ServiceCertificateRequest {
  /** The one named `service`. */
  readonly profile: CertificateProfile
  /** DER of the issuing certificate. */
  readonly issuer: Uint8Array
  /** DER SubjectPublicKeyInfo of the TLS key. */
  readonly spki: Uint8Array
  readonly spiffeId: string
  /** Host names and IP addresses by which callers reach the service. */
  readonly names: readonly string[]
  /** 16 random bytes. */
  readonly serial: Uint8Array
  /** Unix milliseconds: now, and the moment at which the certificate is over. */
  readonly notBefore: number
  readonly notAfter: number
  readonly throwaway: ThrowawaySigners
}

/**
 * Makes the service's own certificate, DER: a key of this process and no attested hardware, hence its own way beside
 * the sealed chain, through the same lints.
 *
 * @throws LintError with the code of the rule that it breaks; TypeError for a time span that is empty
 * @see RFC 5280 §4.2.1.6, RFC 9525 §6
 */
export async function createServiceCertificate(
  request: ServiceCertificateRequest,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const issuer = prepareIssuer(request.issuer)
  const { profile, spiffeId } = request
  const tbs = assembleCertificate(
    {
      ...profile,
      ...validityOf(request, issuer),
      signatureAlgorithm: signer.algorithm,
      issuer,
      issuerKeyIdentifier: issuer.keyIdentifier,
      serial: serialNumber(request.serial),
      serialRandom: request.serial,
      subject: commonName('Assay'),
      spki: request.spki,
      names: { uri: spiffeId, hosts: request.names },
      svid: spiffeId,
    },
    request.throwaway,
  )
  return encodeSigned(tbs, signer.algorithm, await signer.sign(tbs))
}
