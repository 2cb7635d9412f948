import type { z } from 'zod'
import type { ApiScope } from '../core/token/scope.ts'
import { admitRequest, proveRequest } from '../services/resource-access.ts'
import { readJson } from './body.ts'
import { requestUrl, type RequestContext, type Step } from './context.ts'
import { certificateThumbprint } from './client-certificate.ts'

/** One address of the API: what its documentation needs and the steps that serve it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** With `:name` for parameters, as @koa/router and, translated, OpenAPI write it. */
  readonly path: string
  readonly summary: string
  /** The scope a caller's token must carry; absent where evidence, or nothing, is asked for. */
  readonly scope?: ApiScope
  /** The JSON body. */
  readonly request?: z.ZodType
  /** Largest JSON body, bytes; 64 KiB where absent. */
  readonly limit?: number
  /** The form body, of an endpoint of OAuth. */
  readonly form?: z.ZodType
  /** Status of the success answer; 200 where absent. */
  readonly status?: 200 | 201
  /** Media type of the success answer; JSON where absent. */
  readonly produces?: string
  /** Whether callers are counted by their address; 429 when they are too many. */
  readonly isLimited?: true
  readonly steps: readonly Step[]
}

/**
 * Lets in who holds a bound token with the scope and proves its key; leaves `ctx.state.caller`. A body is read for
 * nobody else, and by `read` before its sender is let in: however long it takes, what counts is who the sender is then.
 */
export function requireScope(scope: ApiScope, read?: Step): Step {
  return async function requireScopeStep(ctx, next) {
    const proven = await proveRequest(ctx.service, scope, {
      method: ctx.method,
      url: requestUrl(ctx),
      authorization: singleHeader(ctx, 'authorization'),
      dpop: singleHeader(ctx, 'dpop'),
      certificateThumbprint: certificateThumbprint(ctx.req.socket),
      sourceAddress: ctx.req.socket.remoteAddress,
    })
    await read?.(ctx, async () => undefined)
    ctx.state.caller = await admitRequest(ctx.service, proven)
    await next()
  }
}

/**
 * The value of a header that must come once. Two are joined with a comma, which no token and no proof contains: they
 * are read as one broken one, and neither is chosen (RFC 9449 §4.3).
 */
export function singleHeader(ctx: RequestContext, name: string): string | undefined {
  return ctx.req.headersDistinct[name]?.join(',')
}

/** An endpoint for callers with a scope. */
export function protectedEndpoint(
  row: Omit<Endpoint, 'steps'> & { readonly scope: ApiScope },
  answer: Step,
): Endpoint {
  const read = row.request === undefined ? undefined : readJson(row.request, row.limit)
  return { ...row, steps: [requireScope(row.scope, read), answer] }
}
