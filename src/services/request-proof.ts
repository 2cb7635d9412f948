import { verifyDpopProof, type DpopProof } from '../core/token/dpop-proof.ts'
import { isNonce } from '../core/token/nonce.ts'
import type { ClientCredentials } from './client-authentication.ts'
import type { Service } from './service.ts'

/**
 * Verifies the DPoP proof of a request to an OAuth endpoint, with the service's nonce in it.
 *
 * @throws TokenError `dpop-…`
 * @see RFC 9449 §5, §8
 */
export function verifyRequestProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
): DpopProof {
  const now = service.clock.now()
  return verifyDpopProof(dpop, service.proofKeys, {
    method: credentials.method,
    url: credentials.url,
    now,
    isNonce: nonce => isNonce(service.nonceKey, nonce, now),
  })
}
