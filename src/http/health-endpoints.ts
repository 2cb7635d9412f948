import { requireReady } from '../services/readiness.ts'
import { reportSigners } from '../services/signer-watch.ts'
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
    summary:
      'The service can make a write durable now, 503 otherwise; `hsm_down` while a key in hardware does not sign.',
    steps: [
      async ctx => {
        await requireReady(ctx.service)
        ctx.body = reportSigners(ctx.service)
      },
    ],
  },
]
