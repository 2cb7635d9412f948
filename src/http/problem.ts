import { CodedError } from '../core/coded-error.ts'
import { resourceMetadataUrl } from '../services/token-metadata.ts'
import type { RequestContext } from './context.ts'
import { HttpError } from './error.ts'

/** Statuses by code; what is not here answers 400. The one place where codes become HTTP. */
const statusOf: Readonly<Record<string, number>> = {
  'token-malformed': 401,
  'token-unknown-key': 401,
  'token-signature': 401,
  'token-issuer': 401,
  'token-audience': 401,
  'token-expired': 401,
  'token-early': 401,
  'token-unbound': 401,
  'token-certificate': 401,
  'token-inactive': 401,
  'delegation-own-api': 403,
  'dpop-missing': 401,
  'dpop-malformed': 401,
  'dpop-signature': 401,
  'dpop-method': 401,
  'dpop-url': 401,
  'dpop-time': 401,
  'dpop-nonce': 401,
  'dpop-token-hash': 401,
  'dpop-key': 401,
  'dpop-replayed': 401,
  'certificate-unknown': 401,
  'token-scope': 403,
  'caller-not-permitted': 403,
  'audience-not-permitted': 403,
  'client-id-not-permitted': 403,
  'attestation-contraindicated': 403,
  'attestation-expired': 403,
  'attestation-outdated': 403,
  'key-proof-expired': 403,
  'renewal-certificate-revoked': 403,
  'authorization-denied': 403,
  'authorization-requestable': 403,
  'authorization-declined': 403,
  'authorization-requests-full': 403,
  'authorization-approval-over': 403,
  'grant-own': 403,
  'grant-unknown': 404,
  'grant-decided': 409,
  'grant-expired': 410,
  'authorization-failed': 403,
  'authorization-lockout': 409,
  'attestation-rollback': 403,
  'endorsement-pending': 403,
  'endorsement-refused': 403,
  'policy-empty': 403,
  'hsm-level-closed': 403,
  'policy-emulated': 403,
  'activation-signature': 403,
  'host-revoked': 403,
  'class-revoked': 403,
  'endorsement-revoked': 403,
  'anchor-revoked': 403,
  'firmware-revoked': 403,
  'agent-revoked': 403,
  'operator-revoked': 403,
  'key-superseded': 403,
  'agent-not-here': 403,
  'class-not-on-host': 403,
  'enrollment-unknown': 404,
  'challenge-unknown': 404,
  'attestation-unknown': 404,
  'attestation-unsigned': 404,
  'endorsement-unknown': 404,
  'hsm-key-unknown': 404,
  'policy-unknown': 404,
  'authority-unknown': 404,
  'token-key-unknown': 404,
  'federation-unknown': 404,
  'federation-bundle-absent': 404,
  'host-unknown': 404,
  'serial-unknown': 404,
  'renewal-certificate-unknown': 404,
  'crl-unknown': 404,
  'events-crowded': 503,
  'status-list-unknown': 404,
  'not-acceptable': 406,
  'status-time': 501,
  'agent-unknown': 404,
  'class-unknown': 404,
  'operator-unknown': 404,
  'risk-unknown': 404,
  'audit-beyond-tree': 404,
  'not-found': 404,
  'method-not-allowed': 405,
  'anchor-unknown': 404,
  'anchor-exists': 409,
  'hsm-key-exists': 409,
  'hsm-key-retired': 409,
  'anchor-active': 409,
  'anchor-retired': 409,
  'revocation-list-older': 409,
  'class-exists': 409,
  'key-in-use': 409,
  'challenge-used': 409,
  'attestation-superseded': 409,
  'host-name-in-use': 409,
  'endorsement-differs': 409,
  'policy-conflict': 409,
  'authority-state': 409,
  'token-key-state': 409,
  'token-key-conflict': 409,
  'federation-exists': 409,
  'federation-own': 409,
  'federation-closed': 409,
  'federation-superseded': 409,
  'authority-conflict': 409,
  'authority-root-absent': 409,
  'bundle-not-adopted': 409,
  'activation-mismatch': 409,
  'challenge-expired': 410,
  'body-too-large': 413,
  'body-type': 415,
  'too-many-requests': 429,
  'internal-error': 500,
  'attestation-not-kept': 500,
  'federation-not-followed': 502,
  'endorsement-queue-full': 503,
  'hsm-token-unavailable': 503,
  'store-invalid-record': 500,
  'store-conflict': 409,
  'authority-standby-absent': 409,
  'authority-key-needed': 409,
  'authority-token-failed': 503,
  'authority-key-unusable': 500,
  'authority-absent': 503,
  'token-key-absent': 503,
  'key-passphrase-missing': 503,
  'key-passphrase-wrong': 503,
  'key-malformed': 503,
  'authority-inactive': 503,
  'authority-expired': 503,
  'body-crowded': 503,
  'renewal-under-way': 503,
  'signer-down': 503,
  'signer-busy': 503,
  'store-log-unsigned': 503,
  'store-unavailable': 503,
  'store-overloaded': 503,
}

/** Where one status holds for a whole family: a certificate that our own lints refuse is never the caller's fault. */
const statusOfFamily: Readonly<Record<string, number>> = { EvidenceError: 403, LintError: 500 }

/** Members that a family adds to its problem: the checks of a verdict, details for the caller. */
interface Extended {
  readonly checks?: unknown
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** The HTTP status of a refusal. Evidence that was refused is 403: understood, and not let in. */
export function problemStatus(error: CodedError): number {
  return statusOf[error.code] ?? statusOfFamily[error.name] ?? 400
}

/**
 * Writes a refusal as a problem document. Anything that is not a coded error is ours: the caller learns an instance
 * to ask for, and nothing else.
 *
 * @see RFC 9457 §3, RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1
 */
export function answerProblem(ctx: RequestContext, cause: unknown): void {
  const error = cause instanceof CodedError ? cause : new HttpError('internal-error', { cause })
  const { checks, details } = error as Extended
  ctx.status = problemStatus(error)
  if (ctx.status === 401) ctx.append('WWW-Authenticate', challengeOf(ctx, error))
  if (ctx.status === 503) ctx.set('Retry-After', '1')
  // A body that was not read to its end would be taken for the next request.
  if (error.code.startsWith('body-')) ctx.set('Connection', 'close')
  ctx.body = JSON.stringify({
    type: `urn:assay:error:${error.code}`,
    title: error.message,
    status: ctx.status,
    detail: [error.found === undefined ? '' : `Found ${error.found}.`, error.hint]
      .filter(Boolean)
      .join(' '),
    instance: `urn:assay:request:${ctx.state.requestId}`,
    code: error.code,
    expected: error.expected,
    found: error.found,
    hint: error.hint,
    source: error.source,
    checks,
    ...details,
  })
  ctx.type = 'application/problem+json'
}

function challengeOf(ctx: RequestContext, error: CodedError): string {
  const code = error.code.startsWith('dpop-') ? 'invalid_dpop_proof' : 'invalid_token'
  const metadata = resourceMetadataUrl(ctx.service)
  return `DPoP error="${code}", error_description="${error.code}", algs="ES256 ES384", resource_metadata="${metadata}"`
}
