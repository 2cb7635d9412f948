import { z } from 'zod'
import {
  approveEndorsement,
  listEndorsement,
  listEndorsements,
  refuseEndorsement,
} from '../services/endorsements.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'

/** The digest of an EK as the machine itself shows it. */
const endorsementRequest = z.strictObject({
  spkiSha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
})

type EndorsementRequestBody = z.infer<typeof endorsementRequest>

/** Endorsement keys without certificate: those that wait, and what operators decide. */
export const endorsementEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/endorsements',
      scope: 'endorsements:read',
      summary: 'Endorsement keys without certificate: those that wait first.',
    },
    async ctx => {
      ctx.body = { endorsements: await listEndorsements(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/endorsements',
      scope: 'endorsements:write',
      summary: 'Lists an endorsement key by its digest before its machine comes.',
      request: endorsementRequest,
      status: 201,
    },
    async ctx => {
      const { spkiSha256 } = ctx.state.body as EndorsementRequestBody
      ctx.status = 201
      ctx.body = await listEndorsement(ctx.service, callerOf(ctx).id, spkiSha256)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/endorsements/:id/approve',
      scope: 'endorsements:write',
      summary: 'Approves one that waits, by the digest that the machine itself shows.',
      request: endorsementRequest,
    },
    async ctx => {
      const { spkiSha256 } = ctx.state.body as EndorsementRequestBody
      ctx.body = await approveEndorsement(ctx.service, callerOf(ctx).id, pathId(ctx), spkiSha256)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/endorsements/:id/refuse',
      scope: 'endorsements:write',
      summary: 'Refuses one, also where it was approved or listed before.',
    },
    async ctx => {
      ctx.body = await refuseEndorsement(ctx.service, callerOf(ctx).id, pathId(ctx))
    },
  ),
]
