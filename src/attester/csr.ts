import * as der from '../core/der/writer.ts'
import { encodeEcdsaSignature, signatureAlgorithms } from '../core/issuance/signature-algorithm.ts'
import { importJwk } from '../core/jose/jwk.ts'
import type { ClientKey } from './client-key.ts'

/**
 * A certificate request for a key that signs wherever it lives. Its subject is empty and it asks for nothing: what the
 * certificate says is the service's decision.
 *
 *     CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature BIT STRING }
 *
 * @returns PKCS #10, DER
 * @throws what the key's `sign` throws
 * @see RFC 2986 §4; RFC 5758 §3.2
 */
export async function createCertificationRequest(
  key: Pick<ClientKey, 'jwk' | 'algorithm' | 'sign'>,
): Promise<Uint8Array> {
  const subjectPublicKeyInfo = importJwk(key.jwk).export({ format: 'der', type: 'spki' })
  const information = der.sequence(
    der.smallInteger(0),
    der.sequence(),
    subjectPublicKeyInfo,
    der.contextConstructed(0),
  )
  const algorithm = signatureAlgorithms[key.algorithm].identifier
  const signature = encodeEcdsaSignature(await key.sign(information))
  return der.sequence(information, algorithm, der.bitString(signature))
}
