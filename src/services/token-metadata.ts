import { jwsAlgorithmNames } from '../core/jose/algorithm.ts'
import { exportJwk } from '../core/jose/jwk.ts'
import { apiScopes } from '../core/token/scope.ts'
import type { Service } from './service.ts'

/** The keys that verify access tokens (RFC 7517 §5). */
export function tokenKeySet(service: Pick<Service, 'tokenKeys'>): {
  keys: Record<string, unknown>[]
} {
  const keys = service.tokenKeys.published.map(({ key, kid, algorithm }) => {
    return { ...exportJwk(key), kid, alg: algorithm.name, use: 'sig' }
  })
  return { keys }
}

/** The authorization server's metadata (RFC 8414 §2, RFC 9449 §5.1, RFC 8705 §3.3). */
export function authorizationServerMetadata(
  service: Pick<Service, 'settings'>,
): Record<string, unknown> {
  const { issuer } = service.settings
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    jwks_uri: `${issuer}/oauth/jwks`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth', 'none'],
    token_endpoint_auth_signing_alg_values_supported: jwsAlgorithmNames,
    // Access token types: the endpoint is a protected resource (RFC 8414 §2).
    introspection_endpoint_auth_methods_supported: ['DPoP', 'Bearer'],
    dpop_signing_alg_values_supported: jwsAlgorithmNames,
    tls_client_certificate_bound_access_tokens: true,
    scopes_supported: apiScopes,
    service_documentation: `${issuer}/openapi.json`,
  }
}
