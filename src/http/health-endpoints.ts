import { requireReady } from '../services/readiness.ts'
import { reportSigners } from '../services/signer-watch.ts'
import type { Step } from './context.ts'
import { requireScope, type Endpoint } from './endpoint.ts'
import { renderMetrics } from './metrics.ts'

const requireMetricsScope = requireScope('metrics:read')
const loopback = /^(127\.|::1$|::ffff:127\.)/

/** Prometheus makes no DPoP proofs: one on this machine needs none, and the figures name nobody. */
const admitScraper: Step = async function admitScraper(ctx, next) {
  if (loopback.test(ctx.req.socket.remoteAddress ?? '')) await next()
  else await requireMetricsScope(ctx, next)
}

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
    summary:
      'The service can make a write durable now, 503 otherwise; `hsm_down` while a key in hardware does not sign.',
    steps: [
      async ctx => {
        await requireReady(ctx.service)
        ctx.body = reportSigners(ctx.service)
      },
    ],
  },
  {
    method: 'GET',
    path: '/metrics',
    summary:
      'Figures in Prometheus’ text format, to this machine itself or with a token of scope `metrics:read`: requests by route, signing keys up or down.',
    produces: 'text/plain',
    steps: [
      admitScraper,
      async ctx => {
        const { type, text } = await renderMetrics(ctx.service)
        ctx.type = type
        ctx.body = text
      },
    ],
  },
]
