import { CodedError } from '../core/coded-error.ts'
import { OAuthError, type OAuthErrorCode } from '../core/token/oauth-error.ts'
import type { ServiceError } from '../services/error.ts'
import { resourceMetadataUrl } from '../services/token-metadata.ts'
import type { RequestContext } from './context.ts'
import { answerProblem, problemStatus } from './problem.ts'

/** RFC 6749 §5.2 and RFC 6750 §3.1; 400 for the rest but what is ours. */
const statusOf: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  temporarily_unavailable: 503,
}

/** How the statuses of our own refusals are said in OAuth's words. */
const codeOf: Readonly<Record<number, OAuthErrorCode>> = {
  401: 'invalid_token',
  403: 'insufficient_scope',
  503: 'temporarily_unavailable',
}

/**
 * Writes a refusal of an OAuth endpoint in OAuth's form, our own code and hint beside it. The one place where codes
 * become OAuth errors. What is neither ours nor OAuth's is a failure, which has one form everywhere.
 *
 * @see RFC 6749 §5.2, RFC 6750 §3, RFC 9449 §5
 */
export function answerOAuthError(ctx: RequestContext, cause: unknown): void {
  const error = asOAuthError(cause)
  if (error === undefined) return answerProblem(ctx, cause)
  const { reason } = error
  ctx.status = statusOf[error.error] ?? statusOfBody(reason)
  if (ctx.status === 401) ctx.append('WWW-Authenticate', challengeOf(ctx, error.error))
  if (ctx.status === 503) ctx.set('Retry-After', '1')
  if (reason?.code.startsWith('body-') === true) ctx.set('Connection', 'close')
  ctx.body = {
    error: error.error,
    error_description: quotable(error.message),
    code: reason?.code,
    hint: reason?.hint,
    ...decisionMembers(reason),
  }
}

/** How a denial is found in the log, and the request by which an operator can lift it. */
function decisionMembers(reason: CodedError | undefined): Record<string, unknown> {
  const { details } = (reason ?? {}) as Pick<ServiceError, 'details'>
  return { decision: details?.['decision'], grant_request: details?.['grantRequest'] }
}

/** A body that was not read is refused with its own status; everything else is a bad request. */
function statusOfBody(reason: CodedError | undefined): number {
  return reason?.code.startsWith('body-') === true ? problemStatus(reason) : 400
}

function asOAuthError(cause: unknown): OAuthError | undefined {
  if (cause instanceof OAuthError) return cause
  if (!(cause instanceof CodedError) || problemStatus(cause) === 500) return undefined
  const code = cause.code.startsWith('authorization-')
    ? 'access_denied'
    : codeOf[problemStatus(cause)]
  return new OAuthError(code ?? 'invalid_request', cause.message, cause)
}

/** A protected endpoint says where its metadata are (RFC 9728 §5.1). */
function challengeOf(ctx: RequestContext, error: OAuthErrorCode): string {
  const challenge = `DPoP error="${error}", algs="ES256 ES384"`
  return error === 'invalid_token'
    ? `${challenge}, resource_metadata="${resourceMetadataUrl(ctx.service)}"`
    : challenge
}

/** RFC 6749 §5.2: printable ASCII without quotation mark and backslash. */
function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
