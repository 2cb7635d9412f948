import { verifyJwtSvid } from '../core/token/jwt-svid.ts'
import { TokenError } from '../core/token/error.ts'
import type { ClientRecord } from '../ports/records.ts'
import { findNamedClient } from './assertion-client.ts'
import { findCertificateHolder } from './certificate-holder.ts'
import type { AuthenticatedClient, ClientCredentials } from './client-authentication.ts'
import { clientSpiffeId } from './naming.ts'
import { verifyRequestProof } from './request-proof.ts'
import type { Service } from './service.ts'

/**
 * A JWT-SVID as client assertion. It is signed by this service and so proves no key: whoever reads it has it. So a proof
 * by the key of its subject stands beside it, or the certificate of the connection; alone it authenticates nobody.
 *
 * @throws TokenError `svid-…`, `dpop-…`; ServiceError `certificate-unknown`
 * @see draft-ietf-oauth-spiffe-client-auth-02
 */
export async function authenticateByJwtSvid(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const sub = verifyJwtSvid(credentials.form['client_assertion'] ?? '', {
    audience: service.settings.issuer,
    keys: service.tokenKeys.published,
    now: service.clock.now(),
  })
  const client = await findNamedClient(service, sub)
  if (client === undefined || clientSpiffeId(service, client) !== sub)
    throw new TokenError('svid-signature', { expected: 'a client of this service' })
  const binding = await bind(service, credentials, client)
  return { client, id: sub, replayed: 'dpop-replayed', ...binding }
}

type Binding = Pick<AuthenticatedClient, 'confirmation' | 'replayKeys' | 'notAfter'>

async function bind(
  service: Service,
  credentials: ClientCredentials,
  client: ClientRecord,
): Promise<Binding> {
  const { jkt } = client.key
  const { dpop, certificateThumbprint: thumbprint } = credentials
  if (dpop !== undefined) {
    const proof = verifyRequestProof(service, credentials, dpop)
    if (proof.key.jkt !== jkt) throw new TokenError('dpop-key', { expected: jkt })
    return { confirmation: { jkt }, replayKeys: [proof.replay], notAfter: Infinity }
  }
  if (thumbprint === undefined) throw new TokenError('dpop-missing')
  const holder = await findCertificateHolder(service, thumbprint)
  if (holder.client.key.jkt !== jkt) throw new TokenError('token-certificate')
  const { notAfter } = holder.certificate
  return { confirmation: { 'x5t#S256': thumbprint }, replayKeys: [], notAfter }
}
