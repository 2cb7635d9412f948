import type { CodedError } from '../core/coded-error.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError, type OAuthErrorCode } from '../core/token/oauth-error.ts'
import { ServiceError } from './error.ts'

/** Which of OAuth's codes our own begin with; the first row that fits decides. */
const codes: readonly (readonly [string, OAuthErrorCode])[] = [
  ['dpop-nonce', 'use_dpop_nonce'],
  ['dpop-', 'invalid_dpop_proof'],
  ['client-attestation-challenge', 'use_attestation_challenge'],
  ['client-attestation-expired', 'use_fresh_attestation'],
  ['client-attestation-', 'invalid_client_attestation'],
]

/**
 * Which of OAuth's codes a refused proof, assertion or client answers with at the token endpoint.
 *
 * @see RFC 6749 §5.2, RFC 9449 §5, draft-ietf-oauth-attestation-based-client-auth-10 §7.4
 */
export function asOAuthError(reason: CodedError): OAuthError {
  const row = codes.find(([begin]) => reason.code.startsWith(begin))
  return new OAuthError(row?.[1] ?? 'invalid_client', reason.message, reason)
}

/**
 * Throws on what kept the policies from being asked to the end: what authenticated the caller counted before, or the caller
 * was revoked by now, so it is not authenticated. What the policies themselves refuse stays as it is.
 *
 * @throws OAuthError as {@link asOAuthError}
 */
export function refuseCaller(cause: unknown): never {
  const isPolicy = cause instanceof ServiceError && cause.code.startsWith('authorization-')
  const isCaller = cause instanceof TokenError || cause instanceof ServiceError
  throw isCaller && !isPolicy ? asOAuthError(cause) : cause
}
