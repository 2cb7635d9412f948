import {
  readCheckpoint,
  readEntryBundle,
  readHashTile,
  logVerifierKey,
} from '../services/audit-log.ts'
import type { RequestContext } from './context.ts'
import { requireScope, type Endpoint } from './endpoint.ts'

const tileType = 'application/octet-stream'

/** The tail of the path below a prefix, as C2SP tlog-tiles writes tile coordinates. */
function tail(ctx: RequestContext, prefix: string): string {
  return ctx.path.slice(prefix.length)
}

/** Sends a tile as bytes. A partial one may grow; a full one never changes. */
function sendTile(ctx: RequestContext, tile: Uint8Array): void {
  // Koa writes any other array of bytes as JSON.
  ctx.body = Buffer.from(tile.buffer, tile.byteOffset, tile.byteLength)
  ctx.type = tileType
  if (!ctx.path.includes('.p/')) ctx.set('Cache-Control', 'private, max-age=31536000, immutable')
}

/** The transparency log: hashes for everybody, entries for auditors (C2SP tlog-tiles). */
export const auditEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/audit/checkpoint',
    summary: 'The newest signed checkpoint (C2SP tlog-checkpoint).',
    produces: 'text/plain',
    steps: [
      async ctx => {
        ctx.type = 'text/plain; charset=utf-8'
        ctx.body = await readCheckpoint(ctx.service)
      },
    ],
  },
  {
    method: 'GET',
    path: '/audit/key',
    summary: 'The verifier key of the log (C2SP signed-note).',
    produces: 'text/plain',
    steps: [
      ctx => {
        ctx.type = 'text/plain; charset=utf-8'
        ctx.body = `${logVerifierKey(ctx.service)}\n`
      },
    ],
  },
  {
    method: 'GET',
    path: '/audit/tile/entries/*coordinates',
    scope: 'audit:read',
    summary: 'A bundle of log entries (C2SP tlog-tiles).',
    produces: tileType,
    steps: [
      requireScope('audit:read'),
      async ctx => {
        sendTile(ctx, await readEntryBundle(ctx.service, tail(ctx, '/audit/')))
      },
    ],
  },
  {
    method: 'GET',
    path: '/audit/tile/*coordinates',
    summary: 'A tile of hashes (C2SP tlog-tiles).',
    produces: tileType,
    steps: [
      async ctx => {
        sendTile(ctx, await readHashTile(ctx.service, tail(ctx, '/audit/')))
      },
    ],
  },
]
