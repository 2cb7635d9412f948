import {
  assembleCertificate,
  commonName,
  encodeSigned,
  serialNumber,
  type ThrowawaySigners,
} from '../issuance/assembly.ts'
import { validityOf, type CertificateSigner } from '../issuance/credential.ts'
import { prepareIssuer } from '../issuance/issuer.ts'
import type { CertificateProfile } from '../issuance/profile.ts'

/** What the certificate of a responder is made of. */
export interface ResponderCertificateRequest {
  /** The one named `ocsp-responder`. */
  readonly profile: CertificateProfile
  /** DER of the authority for whose certificates it answers. */
  readonly issuer: Uint8Array
  /** DER SubjectPublicKeyInfo of the responder's key. */
  readonly spki: Uint8Array
  /** 16 random bytes. */
  readonly serial: Uint8Array
  /** Unix milliseconds: now, and the moment at which the certificate is over. */
  readonly notBefore: number
  readonly notAfter: number
  readonly throwaway: ThrowawaySigners
}

/**
 * Makes the certificate of a delegated responder, DER: a key of this process that answers for one authority, so that
 * the authority's own key signs once in days. Nobody asks about that certificate (id-pkix-ocsp-nocheck), hence it
 * lives for a short time.
 *
 * @throws LintError with the code of the rule that it breaks; TypeError for a time span that is empty
 * @see RFC 6960 §4.2.2.2, §4.2.2.2.1
 */
export async function createResponderCertificate(
  request: ResponderCertificateRequest,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const issuer = prepareIssuer(request.issuer)
  const tbs = assembleCertificate(
    {
      ...request.profile,
      ...validityOf(request, issuer),
      signatureAlgorithm: signer.algorithm,
      issuer,
      issuerKeyIdentifier: issuer.keyIdentifier,
      serial: serialNumber(request.serial),
      serialRandom: request.serial,
      subject: commonName('Assay OCSP responder'),
      spki: request.spki,
      names: {},
      svid: undefined,
    },
    request.throwaway,
  )
  return encodeSigned(tbs, signer.algorithm, await signer.sign(tbs))
}
