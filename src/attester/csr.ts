import * as der from '../core/der/writer.ts'
import { createCertificationRequest as createRequest } from '../core/issuance/certification-request.ts'
import { importJwk } from '../core/jose/jwk.ts'
import type { ClientKey } from './client-key.ts'

/**
 * A certificate request for a key that signs wherever it lives. Its subject is empty and it asks for nothing: what the
 * certificate says is the service's decision.
 *
 * @returns PKCS #10, DER
 * @throws what the key's `sign` throws
 * @see RFC 2986 §4
 */
export async function createCertificationRequest(
  key: Pick<ClientKey, 'jwk' | 'algorithm' | 'sign'>,
): Promise<Uint8Array> {
  const spki = importJwk(key.jwk).export({ format: 'der', type: 'spki' })
  return await createRequest(der.sequence(), spki, key)
}
