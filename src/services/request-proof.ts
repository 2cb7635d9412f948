import { verifyDpopProof, type DpopProof } from '../core/token/dpop-proof.ts'
import { isChallenge, isNonce } from '../core/token/nonce.ts'
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
  return verifyProof(service, credentials, dpop, (nonce, now) =>
    isNonce(service.nonceKey, nonce, now),
  )
}

/**
 * The proof of the combined mode: its nonce may be the server's, or the challenge that its endpoint gave for client
 * attestations.
 *
 * @throws TokenError `dpop-…`
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §5.2, §6
 */
export function verifyCombinedProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
): DpopProof {
  const { nonceKey } = service
  return verifyProof(service, credentials, dpop, (nonce, now) => {
    return isNonce(nonceKey, nonce, now) || isChallenge(nonceKey, nonce, now)
  })
}

function verifyProof(
  service: Service,
  { method, url }: ClientCredentials,
  dpop: string,
  isFresh: (nonce: string, now: number) => boolean,
): DpopProof {
  const now = service.clock.now()
  const expected = { method, url, now, isNonce: (nonce: string) => isFresh(nonce, now) }
  return verifyDpopProof(dpop, service.proofKeys, expected)
}
