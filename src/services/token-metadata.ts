import { jwsAlgorithmNames } from '../core/jose/algorithm.ts'
import { exportJwk } from '../core/jose/jwk.ts'
import { apiScopes } from '../core/token/scope.ts'
import { authenticationMethods } from './client-authentication.ts'
import type { Service } from './service.ts'
import { grantTypeNames } from './token-grant.ts'
import type { TokenKeys } from './token-keys.ts'

/** The keys that verify access tokens (RFC 7517 §5). */
export function tokenKeySet(service: { readonly tokenKeys: Pick<TokenKeys, 'published'> }): {
  keys: Record<string, unknown>[]
} {
  const keys = service.tokenKeys.published.map(({ key, kid, algorithm }) => {
    return { ...exportJwk(key), kid, alg: algorithm.name, use: 'sig' }
  })
  return { keys }
}

/**
 * The authorization server's metadata. Clients of OpenID Connect's discovery read the same document.
 *
 * @see RFC 8414 §2, RFC 9449 §5.1, RFC 8705 §3.3 and §5, RFC 9396 §10, RFC 9701 §7, RFC 7009 §2,
 *   draft-ietf-oauth-attestation-based-client-auth-10 §9
 */
export async function authorizationServerMetadata(
  service: Pick<Service, 'settings' | 'store'>,
): Promise<Record<string, unknown>> {
  const { issuer } = service.settings
  const endpoints = {
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
  }
  return {
    issuer,
    ...endpoints,
    // TLS asks every connection for a certificate, so the aliases are the endpoints themselves (RFC 8705 §5).
    mtls_endpoint_aliases: endpoints,
    jwks_uri: `${issuer}/oauth/jwks`,
    status_list_aggregation_endpoint: `${issuer}/v1/status-lists`,
    challenge_endpoint: `${issuer}/oauth/challenge`,
    grant_types_supported: grantTypeNames,
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: jwsAlgorithmNames,
    ...authenticationMetadata(),
    introspection_signing_alg_values_supported: jwsAlgorithmNames,
    dpop_signing_alg_values_supported: jwsAlgorithmNames,
    tls_client_certificate_bound_access_tokens: true,
    scopes_supported: apiScopes,
    authorization_details_types_supported: await detailTypes(service),
    protected_resources: [issuer],
    service_documentation: `${issuer}/openapi.json`,
  }
}

function authenticationMetadata(): Record<string, unknown> {
  const methods = authenticationMethods.map(({ name }) => name)
  return {
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: jwsAlgorithmNames,
    // Access token types as well: the endpoint is also a protected resource (RFC 8414 §2).
    introspection_endpoint_auth_methods_supported: [...methods, 'DPoP', 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: jwsAlgorithmNames,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: jwsAlgorithmNames,
    client_attestation_pop_methods_supported: methods.filter(name => name.startsWith('attest_')),
    client_attestation_signing_alg_values_supported: jwsAlgorithmNames,
    client_attestation_pop_signing_alg_values_supported: jwsAlgorithmNames,
  }
}

/** Every type that a class registers, each once. */
async function detailTypes({ store }: Pick<Service, 'store'>): Promise<string[]> {
  const classes = await store.classes.list()
  const types = classes.flatMap(({ authorizationDetails }) => authorizationDetails)
  return [...new Set(types.map(({ type }) => type))].toSorted()
}

/** Where {@link protectedResourceMetadata} is served. */
export function resourceMetadataUrl({ settings }: Pick<Service, 'settings'>): string {
  return `${settings.issuer}/.well-known/oauth-protected-resource`
}

/** The service's own API as a protected resource (RFC 9728 §2). */
export function protectedResourceMetadata(
  service: Pick<Service, 'settings'>,
): Record<string, unknown> {
  const { issuer } = service.settings
  return {
    resource: issuer,
    authorization_servers: [issuer],
    scopes_supported: apiScopes,
    bearer_methods_supported: ['header'],
    resource_name: 'Assay',
    resource_documentation: `${issuer}/openapi.json`,
    tls_client_certificate_bound_access_tokens: true,
    dpop_signing_alg_values_supported: jwsAlgorithmNames,
    // A token bound to a certificate goes without a proof.
    dpop_bound_access_tokens_required: false,
  }
}
