import { audiencesOf, type AccessTokenClaims } from '../core/token/access-token.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { apiScopesOf } from '../core/token/scope.ts'
import type { ClientRecord } from '../ports/records.ts'
import { authenticateClient, type ClientCredentials } from './client-authentication.ts'
import type { Service } from './service.ts'
import { refuseCaller } from './oauth-reason.ts'
import { signToken } from './signed-token.ts'
import { authorizeOperator } from './resource-access.ts'
import { spendAuthentication } from './spend-authentication.ts'
import { findHolders, readIssuedToken } from './token-standing.ts'

/** RFC 7662 §2.2: of an inactive token nothing is told. */
export type Introspection =
  | { readonly active: false }
  | ({ readonly active: true; readonly token_type: 'DPoP' | 'Bearer' } & AccessTokenClaims)

/**
 * Says whether a token is good at this moment: signed here, in its time, and its client (and an agent's host) neither
 * revoked nor rekeyed since, and the token itself not taken back; of a token that was passed on each of its chain. To a relying party that speaks for none of its audiences no
 * token is: one API does not learn what is done at another.
 *
 * @see RFC 7662 §2
 */
export async function introspectToken(
  service: Service,
  asker: ClientRecord,
  token: string,
): Promise<Introspection> {
  const claims = readToken(service, token)
  if (claims === undefined || !mayAsk(asker, claims)) return { active: false }
  if ((await findHolders(service, claims)) === undefined) return { active: false }
  return { active: true, token_type: 'jkt' in claims.cnf ? 'DPoP' : 'Bearer', ...claims }
}

/**
 * The asker as a client of the authorization server, for those that bring no access token: RFC 7662 lets both ask.
 *
 * @throws OAuthError `invalid_client` and the errors of each way; `unauthorized_client` for whom nothing is told
 * @see RFC 7662 §2.1
 */
export async function authenticateAsker(
  service: Service,
  credentials: ClientCredentials,
): Promise<{ readonly client: ClientRecord; readonly id: string }> {
  const caller = await authenticateClient(service, credentials)
  const { client, id, replayKeys, replayed } = caller
  const { sourceAddress } = credentials
  const scopes = client.kind === 'operator' ? apiScopesOf[client.operator.role] : undefined
  if (scopes?.includes('tokens:introspect') !== true)
    throw new OAuthError('unauthorized_client', 'This client may not ask about tokens.')
  const asked = { scope: 'tokens:introspect', sourceAddress, replayKeys, replayed } as const
  await authorizeOperator(service, client, asked).catch(refuseCaller)
  await spendAuthentication(service, caller)
  return { client, id }
}

/** RFC 7662 §4: an administrator, or whom the token is meant for. */
function mayAsk(asker: ClientRecord, claims: AccessTokenClaims): boolean {
  if (asker.kind !== 'operator') return false
  const { role, audiences } = asker.operator
  return role === 'administrator' || audiencesOf(claims).some(one => audiences.includes(one))
}

/**
 * The answer as a JWT for the asker.
 *
 * @see RFC 9701 §5
 */
export async function signIntrospection(
  service: Service,
  asker: string,
  answer: Introspection,
): Promise<string> {
  return await signToken(service, 'token-introspection+jwt', {
    iss: service.settings.issuer,
    aud: asker,
    iat: Math.floor(service.clock.now() / 1000),
    token_introspection: answer,
  })
}

function readToken(service: Service, token: string): AccessTokenClaims | undefined {
  try {
    return readIssuedToken(service, token)
  } catch (cause) {
    if (cause instanceof TokenError) return undefined
    throw cause
  }
}
