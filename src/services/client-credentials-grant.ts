import { grantDetails, type AuthorizationDetail } from '../core/token/authorization-details.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { apiScopesOf, grantScopes } from '../core/token/scope.ts'
import type { ClientRecord } from '../ports/records.ts'
import type { AuthenticatedClient, ClientCredentials } from './client-authentication.ts'
import { ServiceError } from './error.ts'
import { asOAuthError } from './oauth-reason.ts'
import type { Service } from './service.ts'
import type { Grant } from './token-grant.ts'

/**
 * What the client may have: audiences, scopes and details of its class or role, cut to the shortest of all lifetimes.
 *
 * @throws OAuthError `invalid_target`, `invalid_scope`, `invalid_authorization_details`, `invalid_client`
 * @see RFC 6749 §4.4, RFC 8707 §2, RFC 9396 §5
 */
export function authorizeClientCredentials(
  service: Service,
  caller: AuthenticatedClient,
  { form, resources = [] }: ClientCredentials,
): Grant {
  const { client } = caller
  const audiences = chooseAudiences(service, client, resources)
  const isOwn = audiences.includes(service.settings.issuer)
  const allowed = isOwn ? ownApiScopes(client) : agentScopes(client)
  const scopes = grantScopes(form['scope'], allowed)
  if (scopes === undefined) {
    throw new OAuthError(
      'invalid_scope',
      `This client may ask for: ${allowed.join(' ') || 'nothing'}.`,
    )
  }
  const details = readDetails(client, isOwn, form['authorization_details'])
  return { audiences, scopes, details, lifetimeSeconds: lifetimeOf(service, caller) }
}

/**
 * RFC 8707 §2: each resource asked for must be one the client may use; without one, the first is meant. The service's
 * own API is asked for alone: its scopes are of another list.
 */
function chooseAudiences(
  service: Service,
  client: ClientRecord,
  resources: readonly string[],
): readonly string[] {
  const own = service.settings.issuer
  const allowed = client.kind === 'agent' ? [...client.agentClass.audiences, own] : [own]
  const audiences = resources.length === 0 ? [allowed[0] ?? own] : [...new Set(resources)]
  if (!audiences.every(audience => allowed.includes(audience)))
    throw new OAuthError('invalid_target', `This client may ask for: ${allowed.join(' ')}.`)
  if (audiences.length > 1 && audiences.includes(own))
    throw new OAuthError('invalid_target', `A token for ${own} is for nothing else.`)
  return audiences
}

function ownApiScopes(client: ClientRecord): readonly string[] {
  return apiScopesOf[client.kind === 'operator' ? client.operator.role : client.kind] ?? []
}

function agentScopes(client: ClientRecord): readonly string[] {
  return client.kind === 'agent' ? client.agentClass.scopes : []
}

function readDetails(
  client: ClientRecord,
  isOwn: boolean,
  text: string | undefined,
): readonly AuthorizationDetail[] | undefined {
  if (text === undefined) return undefined
  const registered = client.kind === 'agent' && !isOwn ? client.agentClass.authorizationDetails : []
  const details = grantDetails(text, registered)
  if (details === undefined) {
    const types = registered.map(({ type }) => type).join(' ') || 'nothing'
    throw new OAuthError(
      'invalid_authorization_details',
      `This client may ask for values as registered of the types: ${types}.`,
    )
  }
  return details
}

/**
 * The shortest of all lifetimes that bound what this caller is issued, seconds.
 *
 * @throws OAuthError `invalid_client` where none is left
 */
export function lifetimeOf(service: Service, caller: AuthenticatedClient): number {
  const { client } = caller
  const now = service.clock.now()
  const limits = [service.settings.tokenMaxLifetimeSeconds, (caller.notAfter - now) / 1000]
  if (client.kind === 'agent') limits.push(client.agentClass.tokenLifetimeSeconds)
  if (client.kind !== 'operator') limits.push((client.host.attestationExpiresAt - now) / 1000)
  const lifetime = Math.floor(Math.min(...limits))
  if (lifetime < 1) throw asOAuthError(new ServiceError('attestation-expired'))
  return lifetime
}
