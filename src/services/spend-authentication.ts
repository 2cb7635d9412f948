import { TokenError } from '../core/token/error.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import { clientId } from './naming.ts'
import { asOAuthError } from './oauth-reason.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Service } from './service.ts'

/**
 * What authenticated a client counts once, also where no token comes of it, and its client must be active at this moment.
 *
 * @throws OAuthError `invalid_client`, `invalid_dpop_proof`, `invalid_client_attestation`; StoreError
 */
export async function spendAuthentication(
  service: Service,
  { client, replayKeys, replayed }: AuthenticatedClient,
): Promise<void> {
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
  })
  if (answer === 'replayed') throw asOAuthError(new TokenError(replayed))
  if (answer !== 'done') throw asOAuthError(await explainRevocation(service, client.key.jkt))
}
