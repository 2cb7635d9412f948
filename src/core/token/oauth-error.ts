import type { CodedError } from '../coded-error.ts'

/** The error codes of OAuth that the endpoints under /oauth answer with. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'access_denied'
  | 'invalid_authorization_details'
  | 'unsupported_token_type'
  | 'use_attestation_challenge'
  | 'use_fresh_attestation'
  | 'invalid_client_attestation'
  | 'temporarily_unavailable'

/**
 * A refusal in OAuth's own form. `reason` is the coded error behind it: its code and text go into the answer beside
 * OAuth's.
 *
 * @see RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 9449 §5, RFC 9396 §5, RFC 7009 §2.2.1,
 *   draft-ietf-oauth-attestation-based-client-auth-10 §7.4
 */
export class OAuthError extends Error {
  readonly error: OAuthErrorCode
  readonly reason: CodedError | undefined

  constructor(error: OAuthErrorCode, description: string, reason?: CodedError) {
    super(description, reason === undefined ? undefined : { cause: reason })
    this.name = 'OAuthError'
    this.error = error
    this.reason = reason
  }
}
