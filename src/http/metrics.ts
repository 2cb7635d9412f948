import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Service } from '../services/service.ts'
import type { RequestContext, Step } from './context.ts'

/** What is counted of one application. No label names a caller: whoever reads figures learns no identity from them. */
interface Metrics {
  readonly registry: Registry
  readonly requests: Counter<'method' | 'route' | 'status'>
  readonly seconds: Histogram<'route'>
}

const metricsOf = new WeakMap<Service, Metrics>()

function metricsFor(service: Service): Metrics {
  const known = metricsOf.get(service)
  if (known !== undefined) return known
  const registry = new Registry()
  const made = {
    registry,
    requests: new Counter({
      name: 'assay_http_requests_total',
      help: 'Requests that were answered, by the pattern of their path.',
      labelNames: ['method', 'route', 'status'] as const,
      registers: [registry],
    }),
    seconds: new Histogram({
      name: 'assay_http_request_seconds',
      help: 'Time to the answer, by the pattern of the path.',
      labelNames: ['route'] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers: [registry],
    }),
  }
  watchSigners(service, registry)
  timeSignatures(service, registry)
  metricsOf.set(service, made)
  return made
}

/** Read when they are asked for: a signer's state is its own to keep. */
function watchSigners(service: Service, registry: Registry): void {
  const up = new Gauge({
    name: 'assay_signer_up',
    help: 'Whether a signing key answers: 1, or 0 while it is down.',
    labelNames: ['role', 'place'] as const,
    registers: [registry],
    collect: () => {
      for (const { role, place, state } of states(service))
        up.set({ role, place }, state.isUp ? 1 : 0)
    },
  })
  const waiting = new Gauge({
    name: 'assay_signer_waiting',
    help: 'Signatures that wait for a signing key.',
    labelNames: ['role', 'place'] as const,
    registers: [registry],
    collect: () => {
      for (const { role, place, state } of states(service))
        waiting.set({ role, place }, state.waiting)
    },
  })
}

/** Both labels are words of a table. */
function timeSignatures({ signingTimes }: Service, registry: Registry): void {
  const seconds = new Histogram({
    name: 'assay_signing_seconds',
    help: 'Time to a signature, waiting for the key included, by what it is for and what came of it.',
    labelNames: ['role', 'outcome'] as const,
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5],
    registers: [registry],
  })
  signingTimes.listen((role, outcome, taken) => seconds.observe({ role, outcome }, taken))
}

function states(service: Service) {
  return service.signers.map(signer => ({
    role: signer.role,
    place: signer.place,
    state: signer.state(),
  }))
}

/** Begins to count; what is before is not counted. */
export function startMetrics(service: Service): void {
  metricsFor(service)
}

/**
 * Counts each request by the pattern of its path, never by the path itself: what nobody serves is one route, so that no
 * caller can fill the memory with names.
 */
export const countRequests: Step = async function countRequests(ctx, next) {
  const { requests, seconds } = metricsFor(ctx.service)
  const begun = performance.now()
  await next()
  const route = routeOf(ctx)
  requests.inc({ method: methodOf(ctx), route, status: String(ctx.status) })
  seconds.observe({ route }, (performance.now() - begun) / 1000)
}

function routeOf(ctx: RequestContext): string {
  const { _matchedRoute: route } = ctx as { readonly _matchedRoute?: unknown }
  return typeof route === 'string' ? route : 'none'
}

const methods = ['GET', 'POST', 'HEAD']

function methodOf({ method }: RequestContext): string {
  return methods.includes(method) ? method : 'other'
}

/** The figures in Prometheus' text format, and its media type. */
export async function renderMetrics(
  service: Service,
): Promise<{ readonly type: string; readonly text: string }> {
  const { registry } = metricsFor(service)
  return { type: registry.contentType, text: await registry.metrics() }
}
