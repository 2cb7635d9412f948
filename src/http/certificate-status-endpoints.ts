import { shardCount } from '../core/revocation/location.ts'
import { readCertificateList } from '../services/certificate-lists.ts'
import { ServiceError } from '../services/error.ts'
import { answerOcsp, type OcspReply } from '../services/ocsp.ts'
import { readOctets } from './body.ts'
import type { RequestContext } from './context.ts'
import type { Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import { createRequestLimit } from './request-limit.ts'

const requestType = 'application/ocsp-request'
const replyType = 'application/ocsp-response'
const requestLimit = 16 * 1024
const pathLimit = 4 * 1024

/** How long others may keep a list: what a revocation waits for at most, beside the making of the next list. */
const listSeconds = 15
const answerSeconds = 60

function authorityIn(ctx: RequestContext): string {
  const id = ctx.params['authority'] ?? ''
  if (!/^[0-9a-f]{64}$/.test(id)) throw new HttpError('not-found', { expected: 'an authority' })
  return id
}

function shardIn(ctx: RequestContext): number {
  const text = ctx.params['shard'] ?? ''
  if (!/^(0|[1-9]\d?)$/.test(text) || Number(text) >= shardCount)
    throw new HttpError('not-found', { expected: `a list of 0 to ${shardCount - 1}` })
  return Number(text)
}

function sendOctets(ctx: RequestContext, type: string, bytes: Uint8Array): void {
  // Koa writes any other array of bytes as JSON.
  ctx.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  ctx.type = type
}

const takeSignature = createRequestLimit(settings => settings.ocspSignaturesPerMinute)

async function answer(ctx: RequestContext, request: Uint8Array): Promise<void> {
  const admit = (): void => takeSignature(ctx)
  sendReply(ctx, await answerOcsp(ctx.service, authorityIn(ctx), request, admit))
}

/** RFC 9919 §6.2: what proxies may keep is told by HTTP's own headers. What was made for one asker nobody keeps. */
function sendReply(ctx: RequestContext, { bytes, kept }: OcspReply): void {
  sendOctets(ctx, replyType, bytes)
  if (kept === undefined) return
  const left = Math.floor((kept.nextUpdate - ctx.service.clock.now()) / 1000)
  ctx.set(
    'Cache-Control',
    `max-age=${Math.min(answerSeconds, left)}, public, no-transform, must-revalidate`,
  )
  ctx.set('Last-Modified', new Date(kept.thisUpdate).toUTCString())
  ctx.set('Expires', new Date(kept.nextUpdate).toUTCString())
  ctx.set('ETag', `"${kept.sha256}"`)
  ctx.status = 200
  if (ctx.fresh) ctx.status = 304
}

/** The request in a path: base64, each of whose characters may be percent-encoded (RFC 6960 appendix A.1). */
function requestIn(ctx: RequestContext): Uint8Array {
  const encoded = ctx.path.split('/').slice(3).join('/')
  if (encoded.length > pathLimit) return new Uint8Array()
  try {
    const text = decodeURIComponent(encoded)
    return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : new Uint8Array()
  } catch {
    return new Uint8Array()
  }
}

/** What relying parties ask about certificates. Anybody may; what comes back is signed. */
export const certificateStatusEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/crl/:authority/:shard',
    summary:
      'A revocation list: of an authority the part that its certificates name (RFC 5280 §5).',
    produces: 'application/pkix-crl',
    steps: [
      async ctx => {
        const place = { authorityId: authorityIn(ctx), shard: shardIn(ctx) }
        const list = await readCertificateList(ctx.service, place)
        sendOctets(ctx, 'application/pkix-crl', list.bytes)
        ctx.set('Cache-Control', `public, max-age=${listSeconds}`)
        ctx.set('ETag', `"${list.sha256}"`)
        ctx.set('Last-Modified', new Date(list.thisUpdate).toUTCString())
        ctx.status = 200
        if (ctx.fresh) ctx.status = 304
      },
    ],
  },
  {
    method: 'POST',
    path: '/ocsp/:authority',
    summary: 'Answers an OCSP request about certificates of an authority (RFC 6960).',
    produces: replyType,
    isLimited: true,
    steps: [
      readOctets(requestType, requestLimit),
      async ctx => await answer(ctx, ctx.state.body as Uint8Array),
    ],
  },
  {
    method: 'GET',
    path: '/ocsp/:authority/*request',
    summary: 'Answers an OCSP request in base64 in the path (RFC 6960 appendix A.1, RFC 9919 §5).',
    produces: replyType,
    isLimited: true,
    steps: [async ctx => await answer(ctx, requestIn(ctx))],
  },
  {
    method: 'GET',
    path: '/authorities/:authority',
    summary: 'The certificate of an issuing authority (RFC 5280 §4.2.2.1, caIssuers).',
    produces: 'application/pkix-cert',
    steps: [
      ctx => {
        const id = authorityIn(ctx)
        const authority = ctx.service.authorities.records.find(record => record.id === id)
        const [certificate] = authority?.chain ?? []
        if (certificate === undefined) throw new ServiceError('authority-unknown', { found: id })
        sendOctets(ctx, 'application/pkix-cert', certificate)
        ctx.set('Cache-Control', 'public, max-age=86400')
      },
    ],
  },
]
