import { jwsAlgorithmOf } from '../jose/algorithm.ts'
import { importJwk } from '../jose/jwk.ts'
import { verifyJwtSvid } from '../token/jwt-svid.ts'
import { parseSpiffeId } from './spiffe-id.ts'
import { SvidError } from './svid-error.ts'
import type { TrustDomainBundle } from './x509-svid.ts'

/**
 * Verifies a JWT-SVID against the bundle of one trust domain, and gives its subject, a SPIFFE ID of that trust domain.
 * An empty bundle believes nobody. A JWT-SVID is a bearer credential: whoever brings it may have been given it.
 *
 * @param expected the one audience, which is the caller; `now` in Unix milliseconds
 * @throws TokenError `svid-malformed`, `svid-signature`, `svid-audience`, `svid-expired`, `svid-early`;
 *   SvidError `svid-domain`; SpiffeError `spiffe-id-malformed`
 * @see JWT-SVID §4, §6
 */
export function verifyFederatedJwtSvid(
  svid: string,
  { trustDomain, bundle }: TrustDomainBundle,
  expected: { readonly audience: string; readonly now: number },
): string {
  const keys = bundle.jwtAuthorities.map(({ kid, jwk }) => ({
    kid,
    key: importJwk(jwk),
    algorithm: jwsAlgorithmOf[jwk.crv],
  }))
  const sub = verifyJwtSvid(svid, { ...expected, keys })
  if (parseSpiffeId(sub).trustDomain !== trustDomain)
    throw new SvidError('svid-domain', { expected: trustDomain, found: sub })
  return sub
}
