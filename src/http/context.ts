import type { DefaultContext, Middleware, ParameterizedContext } from 'koa'
import type { Caller } from '../services/resource-access.ts'
import type { Service } from '../services/service.ts'
import type { Form } from './body.ts'
import { HttpError } from './error.ts'

/** Writes a refusal in the form of an endpoint. */
export type Refusal = (ctx: RequestContext, cause: unknown) => void

/** What middleware leaves for the next one; each member is written by the middleware named. */
export interface RequestState {
  /** By `identifyRequest`. */
  requestId: string
  /** By `requireScope`. */
  caller?: Caller
  /** By `readJson`: has the form of the endpoint's schema. */
  body?: unknown
  /** By `readParameters`. */
  form?: Form
  /** By `admitAsker`: who asks about a token. */
  asker?: Pick<Caller, 'client' | 'id'>
  /** By `oauthForm`: how errors are written here; as problem documents where absent. */
  refusal?: Refusal
}

export interface RequestExtras extends DefaultContext {
  service: Service
  /** Path parameters, by @koa/router. */
  params: Record<string, string>
}

export type RequestContext = ParameterizedContext<RequestState, RequestExtras>
export type Step = Middleware<RequestState, RequestExtras>

/** The URL of this request as the service names itself, without query: what `htu` must say. */
export function requestUrl(ctx: RequestContext): string {
  return ctx.service.settings.issuer + ctx.path
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * The identifier in the path of this request.
 *
 * @throws HttpError `not-found` for what no identifier of this service looks like
 */
export function pathId(ctx: RequestContext): string {
  const id = ctx.params['id'] ?? ''
  if (!idPattern.test(id)) throw new HttpError('not-found', { expected: 'an identifier' })
  return id
}

/** The caller that `requireScope` admitted; a bug of ours when it is not there. */
export function callerOf(ctx: RequestContext): Caller {
  if (ctx.state.caller === undefined) throw new TypeError('endpoint without requireScope')
  return ctx.state.caller
}
