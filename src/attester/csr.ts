import * as der from '../core/der/writer.ts'
import { importJwk } from '../core/jose/jwk.ts'
import type { ClientKey } from './client-key.ts'

const signatureAlgorithms = {
  ES256: '1.2.840.10045.4.3.2',
  ES384: '1.2.840.10045.4.3.3',
} as const satisfies Record<ClientKey['algorithm'], string>

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
  const algorithm = der.sequence(der.objectIdentifier(signatureAlgorithms[key.algorithm]))
  const signature = encodeEcdsa(await key.sign(information))
  return der.sequence(information, algorithm, der.bitString(signature))
}

/** ECDSA-Sig-Value of r ‖ s (RFC 3279 §2.2.3). */
function encodeEcdsa(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  return der.sequence(
    der.unsignedInteger(signature.subarray(0, half)),
    der.unsignedInteger(signature.subarray(half)),
  )
}
