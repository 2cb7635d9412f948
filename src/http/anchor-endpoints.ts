import { decodeBase64url } from '../core/bytes/base64url.ts'
import {
  admitAnchor,
  approveAnchors,
  compareAnchors,
  listAnchors,
  proposeAnchors,
  retireAnchor,
  type AnchorProposal,
  type ProposalOutcome,
} from '../services/anchors.ts'
import { ServiceError } from '../services/error.ts'
import { anchorView } from '../services/view.ts'
import { callerOf, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import * as schema from './schema.ts'

/** A whole vendor collection fits: some two thousand certificates. */
const importLimit = 8 * 1024 * 1024
/** As many fingerprints. */
const approvalLimit = 256 * 1024

/** Trust anchors: admitted one by one, or proposed as a collection and approved; compared; retired. */
export const anchorEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/anchors',
      scope: 'anchors:read',
      summary: 'Every certificate that was proposed or admitted, with its standing.',
    },
    async ctx => {
      ctx.body = { anchors: (await listAnchors(ctx.service)).map(anchorView) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/anchors',
      scope: 'anchors:write',
      summary: 'Admits a manufacturer’s root certificate as a trust anchor at once.',
      request: schema.anchorRequest,
      status: 201,
    },
    async ctx => {
      const proposal = proposalOf(ctx.state.body as schema.AnchorRequest)
      ctx.status = 201
      ctx.body = anchorView(await admitAnchor(ctx.service, callerOf(ctx).id, proposal))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/anchors/import',
      scope: 'anchors:write',
      summary:
        'Takes a collection of certificates in as proposals; says of each what became of it.',
      request: schema.anchorImportRequest,
      limit: importLimit,
    },
    async ctx => {
      const { certificates } = ctx.state.body as schema.AnchorImportRequest
      const proposals = certificates.map(proposalOf)
      const outcomes = await proposeAnchors(ctx.service, callerOf(ctx).id, proposals)
      ctx.body = { certificates: outcomes.map(outcomeView) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/anchors/approve',
      scope: 'anchors:write',
      summary:
        'Puts proposed or retired certificates in force, all or none, as a new version of the set.',
      request: schema.anchorApprovalRequest,
      limit: approvalLimit,
    },
    async ctx => {
      const { fingerprints } = ctx.state.body as { fingerprints: string[] }
      ctx.body = await approveAnchors(ctx.service, callerOf(ctx).id, fingerprints)
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/anchors/diff',
      scope: 'anchors:read',
      summary: 'What differs between two versions of the set: ?from=1&to=2, or ?to=proposed.',
    },
    async ctx => {
      const to = ctx.query['to'] === 'proposed' ? 'proposed' : versionOf(ctx, 'to')
      const from = ctx.query['from'] === undefined ? undefined : versionOf(ctx, 'from')
      const { added, removed, ...rest } = await compareAnchors(ctx.service, from, to)
      ctx.body = { ...rest, added: added.map(anchorView), removed: removed.map(anchorView) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/anchors/:fingerprint/retire',
      scope: 'anchors:write',
      summary: 'Takes a certificate out of force, or a proposed one off the table.',
      request: schema.retirementRequest,
    },
    async ctx => {
      const { reason } = ctx.state.body as { reason: string }
      const { id } = callerOf(ctx)
      ctx.body = await retireAnchor(ctx.service, id, fingerprintOf(ctx), reason)
    },
  ),
]

function proposalOf({ certificate, ...labels }: schema.AnchorRequest): AnchorProposal {
  return { ...labels, certificate: decodeBase64url(certificate) }
}

function outcomeView({ error, ...outcome }: ProposalOutcome): Record<string, unknown> {
  if (error === undefined) return { ...outcome }
  const { code, message, found } = error
  return { ...outcome, code, title: message, ...(found === undefined ? {} : { found }) }
}

function fingerprintOf(ctx: RequestContext): string {
  const fingerprint = ctx.params['fingerprint'] ?? ''
  if (!/^[0-9a-f]{64}$/.test(fingerprint))
    throw new HttpError('not-found', { expected: 'a SHA-256 fingerprint' })
  return fingerprint
}

function versionOf(ctx: RequestContext, name: string): number {
  const text = ctx.query[name]
  if (typeof text !== 'string' || !/^\d{1,9}$/.test(text)) {
    throw new ServiceError('request-malformed', { expected: `${name}: a version of the set` })
  }
  return Number(text)
}
