import { Router } from '@koa/router'
import Koa from 'koa'
import { CodedError } from '../core/coded-error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import type { Service } from '../services/service.ts'
import { agentEndpoints } from './agent-endpoints.ts'
import { anchorEndpoints } from './anchor-endpoints.ts'
import { attestationEndpoints } from './attestation-endpoints.ts'
import { authorityEndpoints } from './authority-endpoints.ts'
import { auditEndpoints } from './audit-endpoints.ts'
import { authorizationEndpoints } from './authorization-endpoints.ts'
import type { RequestContext, RequestExtras, RequestState, Step } from './context.ts'
import { certificateEndpoints } from './certificate-endpoints.ts'
import { certificateStatusEndpoints } from './certificate-status-endpoints.ts'
import { endorsementEndpoints } from './endorsement-endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import { federationEndpoints } from './federation-endpoints.ts'
import { grantEndpoints } from './grant-endpoints.ts'
import { healthEndpoints } from './health-endpoints.ts'
import { hsmKeyEndpoints } from './hsm-key-endpoints.ts'
import { identityEndpoints } from './identity-endpoints.ts'
import { hostEndpoints } from './host-endpoints.ts'
import { oauthEndpoints } from './oauth-endpoints.ts'
import { openApiDocument } from './openapi.ts'
import { countRequests, startMetrics } from './metrics.ts'
import { operatorEndpoints } from './operator-endpoints.ts'
import { policyEndpoints } from './policy-endpoints.ts'
import { revocationListEndpoints } from './revocation-list-endpoints.ts'
import { createEventEndpoints } from './event-endpoints.ts'
import { tokenKeyEndpoints } from './token-key-endpoints.ts'
import { statusListEndpoints } from './status-list-endpoints.ts'
import { renewalEndpoints } from './renewal-endpoints.ts'
import { revocationEndpoints } from './revocation-endpoints.ts'
import { answerProblem } from './problem.ts'

/** Where the application reports what callers are not told. */
export interface RequestLog {
  /** A refusal or failure, once per request; `warn` for what an operator should change, `error` for what should not happen. */
  report(
    level: 'info' | 'warn' | 'error',
    facts: Readonly<Record<string, unknown>>,
    message: string,
  ): void
}

/** Every address of the service, in the order of the protocol. */
export const endpoints: readonly Endpoint[] = [
  ...oauthEndpoints,
  ...hostEndpoints,
  ...attestationEndpoints,
  ...agentEndpoints,
  ...renewalEndpoints,
  ...identityEndpoints,
  ...anchorEndpoints,
  ...revocationListEndpoints,
  ...revocationEndpoints,
  ...certificateEndpoints,
  ...certificateStatusEndpoints,
  ...statusListEndpoints,
  ...createEventEndpoints(),
  ...operatorEndpoints,
  ...policyEndpoints,
  ...authorizationEndpoints,
  ...grantEndpoints,
  ...endorsementEndpoints,
  ...hsmKeyEndpoints,
  ...authorityEndpoints,
  ...tokenKeyEndpoints,
  ...federationEndpoints,
  ...auditEndpoints,
  ...healthEndpoints,
]

/**
 * The Koa application over a wired service; TLS in front of it is the caller's.
 *
 * @param rows the addresses that it serves
 */
export function createApp(
  service: Service,
  log: RequestLog,
  rows: readonly Endpoint[] = endpoints,
): Koa<RequestState, RequestExtras> {
  const app = new Koa<RequestState, RequestExtras>()
  app.context.service = service
  startMetrics(service)
  // What reaches Koa itself is a socket that broke or a bug; both are ours to see, neither the caller's.
  app.on('error', (error: Error) =>
    log.report('error', { error: String(error) }, 'connection failed'),
  )
  app.use(countRequests)
  app.use(identifyRequest(service))
  app.use(setHeaders)
  app.use(answerErrors(log))
  app.use(createRouter(service, rows).routes())
  app.use(refuseUnknown(rows))
  return app
}

function createRouter(
  service: Service,
  rows: readonly Endpoint[],
): Router<RequestState, RequestExtras> {
  // One address, one spelling: no other letters, no slash at the end.
  const router = new Router<RequestState, RequestExtras>({ strict: true, sensitive: true })
  for (const { method, path, steps } of rows) router.register(path, [method], [...steps])
  const document = JSON.stringify(openApiDocument(rows, service.settings.issuer))
  router.get('/openapi.json', ctx => {
    ctx.type = 'application/json'
    ctx.body = document
  })
  return router
}

function identifyRequest(service: Service): Step {
  const process = Buffer.from(service.random.bytes(6)).toString('base64url')
  let count = 0
  return async function identifyRequestStep(ctx, next) {
    count += 1
    ctx.state.requestId = `${process}-${count}`
    await next()
  }
}

const setHeaders: Step = async function setHeaders(ctx, next) {
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Strict-Transport-Security', 'max-age=31536000')
  await next()
}

function answerErrors(log: RequestLog): Step {
  return async function answerErrorsStep(ctx, next) {
    try {
      await next()
    } catch (cause) {
      ctx.set('Cache-Control', 'no-store')
      const refuse = ctx.state.refusal ?? answerProblem
      refuse(ctx, cause)
      reportRefusal(log, ctx, cause)
    }
  }
}

function reportRefusal(log: RequestLog, ctx: RequestContext, cause: unknown): void {
  const facts = {
    requestId: ctx.state.requestId,
    method: ctx.method,
    path: ctx.path,
    status: ctx.status,
  }
  if (cause instanceof CodedError || cause instanceof OAuthError)
    log.report(
      isAlarming(ctx, cause) ? 'error' : 'info',
      { ...facts, ...codesOf(cause) },
      cause.message,
    )
  else log.report('error', { ...facts, error: cause }, 'unexpected failure')
}

/** Policies that cannot be evaluated deny, and are no everyday refusal. */
function isAlarming(ctx: RequestContext, cause: CodedError | OAuthError): boolean {
  return ctx.status >= 500 || codesOf(cause)['code'] === 'authorization-failed'
}

function codesOf(error: CodedError | OAuthError): Record<string, unknown> {
  if (error instanceof CodedError) return { code: error.code }
  return { error: error.error, code: error.reason?.code }
}

function refuseUnknown(rows: readonly Endpoint[]): Step {
  return async function refuseUnknownStep(ctx) {
    const allowed = rows.filter(row => matches(row.path, ctx.path)).map(row => row.method)
    if (allowed.length === 0 || (allowed as string[]).includes(ctx.method)) {
      throw new HttpError('not-found', { found: ctx.path.slice(0, 200) })
    }
    ctx.set('Allow', allowed.join(', '))
    throw new HttpError('method-not-allowed', { expected: allowed.join(', '), found: ctx.method })
  }
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replaceAll('.', '\\.')
    .replaceAll(/:\w+/g, '[^/]+')
    .replaceAll(/\*\w+/g, '.+')
  return new RegExp(`^${source}$`).test(path)
}
