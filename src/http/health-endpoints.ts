import { requireReady } from '../services/readiness.ts'
import { trustBundle } from '../services/trust-bundle.ts'
import type { Endpoint } from './endpoint.ts'

/** Liveness, readiness, and what anybody may know. */
export const healthEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/healthz',
    summary: 'The process answers.',
    steps: [
      ctx => {
        ctx.body = { status: 'ok' }
      },
    ],
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'The service can make a write durable now; 503 otherwise.',
    steps: [
      async ctx => {
        await requireReady(ctx.service)
        ctx.body = { status: 'ready' }
      },
    ],
  },
  {
    method: 'GET',
    path: '/v1/bundle',
    summary: 'The trust bundle: the root of all certificates of this trust domain (SPIFFE bundle).',
    steps: [
      async ctx => {
        const bundle = await trustBundle(ctx.service)
        ctx.set('Cache-Control', `public, max-age=${Math.min(60, bundle.spiffe_refresh_hint)}`)
        ctx.body = bundle
      },
    ],
  },
]
