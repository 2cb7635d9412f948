import type { AccessTokenClaims, HolderClaims } from '../core/token/access-token.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { apiScopesOf, grantScopes } from '../core/token/scope.ts'
import type { ClientRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { authorize, type Authorized } from './authorization.ts'
import {
  authenticateClient,
  type AuthenticatedClient,
  type ClientCredentials,
} from './client-authentication.ts'
import { ServiceError } from './error.ts'
import { clientId, createId } from './naming.ts'
import { asOAuthError } from './oauth-reason.ts'
import { explainRevocation } from './revocation.ts'
import type { Service } from './service.ts'
import { signToken } from './signed-token.ts'

/** The token endpoint's answer (RFC 6749 §5.1, RFC 9449 §5). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'DPoP' | 'Bearer'
  readonly expires_in: number
  readonly scope: string
}

interface Grant {
  readonly audience: string
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
}

/**
 * Issues an access token to a client that proved its attested key with this request.
 *
 * @throws OAuthError as RFC 6749 §5.2, RFC 8707 §2 and RFC 9449 §5 say
 */
export async function issueToken(
  service: Service,
  credentials: ClientCredentials,
): Promise<TokenResponse> {
  requireGrantType(credentials.form)
  const caller = await authenticateClient(service, credentials)
  const asked = requestedGrant(service, caller, credentials.form)
  const authorized = await authorize(service, {
    action: 'issueToken',
    principal: caller.client,
    sourceAddress: credentials.sourceAddress,
    ...asked,
  })
  const grant = { audience: asked.audience, ...authorized }
  const claims = prepareAccessToken(service, caller, grant)
  const token = await signToken(service, 'at+jwt', claims)
  await recordToken(service, caller, claims, authorized)
  return {
    access_token: token,
    token_type: 'jkt' in caller.confirmation ? 'DPoP' : 'Bearer',
    expires_in: claims.exp - claims.iat,
    scope: claims.scope,
  }
}

function requireGrantType(form: Readonly<Record<string, string>>): void {
  if (form['grant_type'] === undefined)
    throw new OAuthError('invalid_request', 'The grant_type is missing.')
  if (form['grant_type'] !== 'client_credentials') {
    throw new OAuthError('unsupported_grant_type', 'The one grant type here is client_credentials.')
  }
}

/** What the client asks for, as far as registration goes: audience and scopes of its class or role, cut to the shortest of all lifetimes. */
function requestedGrant(
  service: Service,
  caller: AuthenticatedClient,
  form: Readonly<Record<string, string>>,
): Grant {
  const { client } = caller
  const audience = chooseAudience(service, client, form['resource'])
  const allowed = audience === service.settings.issuer ? ownApiScopes(client) : agentScopes(client)
  const scopes = grantScopes(form['scope'], allowed)
  if (scopes === undefined) {
    throw new OAuthError(
      'invalid_scope',
      `This client may ask for: ${allowed.join(' ') || 'nothing'}.`,
    )
  }
  return { audience, scopes, lifetimeSeconds: lifetimeOf(service, caller) }
}

/** RFC 8707 §2: the resource asked for must be one the client may use; without one, the first is meant. */
function chooseAudience(
  service: Service,
  client: ClientRecord,
  resource: string | undefined,
): string {
  const own = service.settings.issuer
  const allowed = client.kind === 'agent' ? [...client.agentClass.audiences, own] : [own]
  const audience = resource ?? allowed[0] ?? own
  if (!allowed.includes(audience)) {
    throw new OAuthError('invalid_target', `This client may ask for: ${allowed.join(' ')}.`)
  }
  return audience
}

function ownApiScopes(client: ClientRecord): readonly string[] {
  return apiScopesOf[client.kind === 'operator' ? client.operator.role : client.kind] ?? []
}

function agentScopes(client: ClientRecord): readonly string[] {
  return client.kind === 'agent' ? client.agentClass.scopes : []
}

function lifetimeOf(service: Service, caller: AuthenticatedClient): number {
  const { client } = caller
  const now = service.clock.now()
  const limits = [service.settings.tokenMaxLifetimeSeconds, (caller.notAfter - now) / 1000]
  if (client.kind === 'agent') limits.push(client.agentClass.tokenLifetimeSeconds)
  if (client.kind !== 'operator') limits.push((client.host.attestationExpiresAt - now) / 1000)
  const lifetime = Math.floor(Math.min(...limits))
  if (lifetime < 1) throw asOAuthError(new ServiceError('attestation-expired'))
  return lifetime
}

function prepareAccessToken(
  service: Service,
  caller: AuthenticatedClient,
  grant: Grant,
): AccessTokenClaims {
  const iat = Math.floor(service.clock.now() / 1000)
  return {
    iss: service.settings.issuer,
    sub: caller.id,
    aud: grant.audience,
    client_id: caller.id,
    iat,
    exp: iat + grant.lifetimeSeconds,
    jti: createId(service),
    scope: grant.scopes.join(' '),
    cnf: caller.confirmation,
    assay: holderClaims(caller.client),
  }
}

function holderClaims(client: ClientRecord): HolderClaims {
  if (client.kind === 'operator') {
    return {
      kind: 'operator',
      role: client.operator.role,
      key_protection: client.operator.keyProtection,
    }
  }
  const { id, assurance, evidenceSha256 } = client.host
  const host = { host: id, assurance, evidence: evidenceSha256 }
  return client.kind === 'host'
    ? { kind: 'host', ...host }
    : { kind: 'agent', class: client.agent.className, ...host }
}

/** The token exists for nobody until this is durable: proof spent, client still active, entry in the log. */
async function recordToken(
  service: Service,
  caller: AuthenticatedClient,
  claims: AccessTokenClaims,
  { record }: Authorized,
): Promise<void> {
  const { client, replayKeys } = caller
  const entry = auditEntry(service, 'token.issued', caller.id, claims.jti, {
    aud: claims.aud,
    scope: claims.scope,
    exp: claims.exp,
    cnf: claims.cnf,
    authorization: record,
    ...(client.kind === 'operator' ? {} : { attestation: client.host.attestationId }),
  })
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
    ...(client.kind === 'operator' ? {} : { attestedUntil: claims.exp * 1000 }),
    entry,
  })
  if (answer === 'done') return
  if (answer === 'replayed') throw asOAuthError(new TokenError(caller.replayed))
  if (answer === 'attestation-expired') throw asOAuthError(new ServiceError('attestation-expired'))
  throw asOAuthError(await explainRevocation(service, client.key.jkt))
}
