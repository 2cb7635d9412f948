import { CodedError } from '../core/coded-error.ts'
import { OAuthError, type OAuthErrorCode } from '../core/token/oauth-error.ts'
import type { RequestContext } from './context.ts'
import { problemStatus } from './problem.ts'

/** RFC 6749 §5.2: 401 for a client that is not authenticated; 400 for the rest but what is ours. */
const statusOf: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  temporarily_unavailable: 503,
}

/**
 * Writes a refusal of an OAuth endpoint in OAuth's form, our own code and hint beside it. The one place where codes
 * become OAuth errors. Rethrows what is neither ours nor OAuth's.
 *
 * @see RFC 6749 §5.2, RFC 9449 §5
 */
export function answerOAuthError(ctx: RequestContext, cause: unknown): void {
  const error = asOAuthError(cause)
  const { reason } = error
  ctx.status = statusOf[error.error] ?? (reason?.code === 'body-too-large' ? 413 : 400)
  if (ctx.status === 401)
    ctx.set('WWW-Authenticate', `DPoP error="${error.error}", algs="ES256 ES384"`)
  if (ctx.status === 503) ctx.set('Retry-After', '1')
  if (reason?.code.startsWith('body-') === true) ctx.set('Connection', 'close')
  ctx.body = {
    error: error.error,
    error_description: quotable(error.message),
    code: reason?.code,
    hint: reason?.hint,
  }
}

function asOAuthError(cause: unknown): OAuthError {
  if (cause instanceof OAuthError) return cause
  if (!(cause instanceof CodedError)) throw cause
  const code = problemStatus(cause) === 503 ? 'temporarily_unavailable' : 'invalid_request'
  return new OAuthError(code, cause.message, cause)
}

/** RFC 6749 §5.2: printable ASCII without quotation mark and backslash. */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
