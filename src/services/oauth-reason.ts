import type { CodedError } from '../core/coded-error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'

/**
 * Which of OAuth's codes a refused proof, assertion or client answers with at the token endpoint.
 *
 * @see RFC 6749 §5.2, RFC 9449 §5
 */
export function asOAuthError(reason: CodedError): OAuthError {
  if (reason.code === 'dpop-nonce') return new OAuthError('use_dpop_nonce', reason.message, reason)
  if (reason.code.startsWith('dpop-'))
    return new OAuthError('invalid_dpop_proof', reason.message, reason)
  return new OAuthError('invalid_client', reason.message, reason)
}
