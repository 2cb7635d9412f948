import { statusListType } from '../core/status/status-list-token.ts'
import { findStatusList, listStatusLists } from '../services/status-list-tokens.ts'
import { pathId, type Step } from './context.ts'
import type { Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'

const mediaType = `application/${statusListType}`

/** A list of another time is not kept (draft-ietf-oauth-status-list-21 §8.4). */
const refuseTime: Step = async function refuseTime(ctx, next) {
  if (ctx.query['time'] !== undefined) throw new HttpError('status-time', { found: 'time' })
  await next()
}

/** Who wants CBOR gets nothing that it could not read. */
const requireAccepted: Step = async function requireAccepted(ctx, next) {
  if (ctx.accepts(mediaType) === false)
    throw new HttpError('not-acceptable', { expected: mediaType, found: ctx.get('Accept') })
  await next()
}

const answerList: Step = async function answerList(ctx) {
  const { token, etag } = await findStatusList(ctx.service, pathId(ctx))
  // A copy may be kept, and not be used without asking: what is revoked is told at once.
  ctx.set('Cache-Control', 'public, no-cache')
  ctx.set('Access-Control-Allow-Origin', '*')
  ctx.set('Vary', 'Accept')
  ctx.status = 200
  ctx.etag = etag
  ctx.type = mediaType
  if (ctx.fresh) ctx.status = 304
  else ctx.body = token
}

/** Token Status Lists, for everybody. */
export const statusListEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/v1/status-lists/:id',
    summary:
      'Which tokens of a list are revoked, signed (draft-ietf-oauth-status-list-21); with the newest at every call.',
    produces: mediaType,
    steps: [refuseTime, requireAccepted, answerList],
  },
  {
    method: 'GET',
    path: '/v1/status-lists',
    summary: 'The lists that are in their time (draft-ietf-oauth-status-list-21 §9).',
    steps: [
      async ctx => {
        ctx.set('Cache-Control', 'public, no-cache')
        ctx.body = { status_lists: await listStatusLists(ctx.service) }
      },
    ],
  },
]
