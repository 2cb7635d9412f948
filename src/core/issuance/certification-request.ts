import * as der from '../der/writer.ts'
import { encodeSigned } from './assembly.ts'
import type { CertificateSigner } from './credential.ts'

/**
 *     CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature BIT STRING }
 *     CertificationRequestInfo ::= SEQUENCE {
 *       version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo, attributes [0] }
 *
 * A certificate request for a key that signs wherever it lives; it asks for nothing by attributes.
 *
 * @param subject DER Name
 * @param spki DER SubjectPublicKeyInfo of the signer's key
 * @returns PKCS #10, DER
 * @throws what the signer throws
 * @see RFC 2986 §4; RFC 5758 §3.2
 */
export async function createCertificationRequest(
  subject: Uint8Array,
  spki: Uint8Array,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const information = der.sequence(der.smallInteger(0), subject, spki, der.contextConstructed(0))
  return encodeSigned(information, signer.algorithm, await signer.sign(information))
}
