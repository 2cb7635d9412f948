import { Readable } from 'node:stream'
import { openRevocationStream, type StreamPace } from '../services/revocation-stream.ts'
import { callerOf, type RequestContext, type Step } from './context.ts'
import { requireScope, singleHeader, type Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import { dropSlowReader } from './slow-reader.ts'

/** How long a caller may leave a line unread. */
const patienceMs = 30_000

/** The number of the event that the caller saw last; undefined for a caller that begins. */
function lastEventId(ctx: RequestContext): number | undefined {
  const text = singleHeader(ctx, 'last-event-id')
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new HttpError('event-id', { found: text.slice(0, 40) })
  return Number(text)
}

function answerEvents(patience: number, pace?: StreamPace): Step {
  return async function answerEventsStep(ctx) {
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    if (ctx.req.socket.destroyed) return
    const last = lastEventId(ctx)
    try {
      const lines = await openRevocationStream(ctx.service, callerOf(ctx), last, gone.signal, pace)
      ctx.type = 'text/event-stream; charset=utf-8'
      // One event at a time: what is not read stays in the store.
      ctx.body = Readable.from(dropSlowReader(ctx.res, lines, patience), { highWaterMark: 1 })
    } catch (cause) {
      gone.abort()
      throw cause
    }
  }
}

/**
 * What relying parties hold open.
 *
 * @param patience milliseconds that a caller may leave a line unread
 */
export function createEventEndpoints(
  patience: number = patienceMs,
  pace?: StreamPace,
): readonly Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/v1/events',
      scope: 'revocations:read',
      summary:
        'Revocations as they happen, as server-sent events; Last-Event-ID resumes without a gap.',
      produces: 'text/event-stream',
      steps: [requireScope('revocations:read'), answerEvents(patience, pace)],
    },
  ]
}
