import type { AuthorizationDetail } from '../core/token/authorization-details.ts'
import type { DelegationClaims } from '../core/token/delegation.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { authorizeClientCredentials } from './client-credentials-grant.ts'
import type { ParentLink } from '../ports/client-store.ts'
import type { AuthenticatedClient, ClientCredentials } from './client-authentication.ts'
import type { Service } from './service.ts'
import { authorizeTokenExchange, tokenExchange } from './token-exchange-grant.ts'

/** What a token will say that it is good for. */
export interface Grant {
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** Undefined where none were asked for. */
  readonly details: readonly AuthorizationDetail[] | undefined
  readonly lifetimeSeconds: number
  /** Of a token that is passed on. */
  readonly delegation?: Delegation
}

/** For whom a token is passed on, and what it descends from. */
export interface Delegation extends Required<Pick<DelegationClaims, 'act' | 'parents'>> {
  /** SPIFFE ID of the agent that asked first. */
  readonly subject: string
  readonly txn: string
  /** The tokens behind it and their holders, which must still stand when it is issued. */
  readonly links: readonly ParentLink[]
}

type GrantType = (
  service: Service,
  caller: AuthenticatedClient,
  credentials: ClientCredentials,
) => Grant | Promise<Grant>

/** RFC 6749 §4.4, RFC 8693 §2.1. */
const grantTypes: Readonly<Record<string, GrantType>> = {
  client_credentials: authorizeClientCredentials,
  [tokenExchange]: authorizeTokenExchange,
}

/** As metadata list them. */
export const grantTypeNames: readonly string[] = Object.keys(grantTypes)

/** What the issuer mints itself; a request that brings one along is refused, not passed over. */
const mintedHere = ['run', 'run_id', 'txn', 'jti']

/**
 * The grant type of a request.
 *
 * @throws OAuthError `invalid_request`, `unsupported_grant_type`
 * @see RFC 6749 §5.2
 */
export function grantTypeOf({ form }: ClientCredentials): GrantType {
  const { grant_type: name } = form
  if (name === undefined) throw new OAuthError('invalid_request', 'The grant_type is missing.')
  const chosen = mintedHere.find(parameter => form[parameter] !== undefined)
  if (chosen !== undefined)
    throw new OAuthError('invalid_request', `The ${chosen} is minted here and cannot be chosen.`)
  const grantType = Object.hasOwn(grantTypes, name) ? grantTypes[name] : undefined
  if (grantType === undefined) {
    const known = grantTypeNames.join(' and ')
    throw new OAuthError('unsupported_grant_type', `The grant types here: ${known}.`)
  }
  return grantType
}
