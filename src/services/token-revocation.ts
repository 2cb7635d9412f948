import type { AccessTokenClaims } from '../core/token/access-token.ts'
import { parseJws } from '../core/jose/jws.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { auditEntry } from './audit-entry.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import type { Service } from './service.ts'
import { spendAuthentication } from './spend-authentication.ts'
import { statusListName } from './status-places.ts'
import { readIssuedToken } from './token-standing.ts'

/**
 * Takes back an access token of the caller before its time. A token that is none, or no longer one, is already as the
 * caller wants it.
 *
 * @throws OAuthError `unsupported_token_type`, `unauthorized_client` for another client's token
 * @see RFC 7009 §2.1, §2.2
 */
export async function revokeOwnToken(
  service: Service,
  caller: AuthenticatedClient,
  token: string,
): Promise<void> {
  await spendAuthentication(service, caller)
  const claims = readToken(service, token)
  if (claims === undefined) return
  if (claims.client_id !== caller.id)
    throw new OAuthError('unauthorized_client', 'The token was issued to another client.')
  const entry = auditEntry(service, 'token.revoked', caller.id, claims.jti, {
    exp: claims.exp,
    ...(claims.txn === undefined ? {} : { txn: claims.txn }),
  })
  await service.store.tokens.revoke(claims.jti, claims.exp * 1000, entry, placeOf(service, claims))
}

/** Tokens from before there were lists have no place. */
function placeOf(
  { settings }: Service,
  { status }: AccessTokenClaims,
): { list: string; index: number } | undefined {
  if (status === undefined) return undefined
  const { idx: index, uri } = status.status_list
  const list = statusListName(settings, uri)
  return list === undefined ? undefined : { list, index }
}

function readToken(service: Service, token: string): AccessTokenClaims | undefined {
  try {
    return readIssuedToken(service, token)
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause
    if (isOtherType(token))
      throw new OAuthError('unsupported_token_type', 'Access tokens alone are taken back here.')
    return undefined
  }
}

/** A JWT that says of itself to be something else: an SVID, an attestation, an Attestation Result. */
function isOtherType(token: string): boolean {
  try {
    const { typ } = parseJws(token).header
    return typ !== undefined && typ !== 'at+jwt'
  } catch {
    return false
  }
}
