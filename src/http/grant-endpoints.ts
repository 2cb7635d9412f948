import { z } from 'zod'
import {
  decideGrantRequest,
  findGrantRequest,
  findOwnGrantRequest,
  listGrantRequests,
  withdrawGrantRequest,
} from '../services/grant-requests.ts'
import { grantRequestView } from '../services/view.ts'
import { callerOf, pathId, type RequestContext, type Step } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'

const reason = z.string().trim().min(1).max(200)
const reasonRequest = z.strictObject({ reason })
const approvalRequest = z.strictObject({
  reason,
  /** How long the approval counts; for once where left out. */
  minutes: z
    .int()
    .min(1)
    .max(7 * 1440)
    .optional(),
})

/** Just-in-time access: what agents ask operators to approve. */
export const grantEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/grants',
      scope: 'grants:read',
      summary: 'Grant requests of agents, newest first, and what operators said to them.',
    },
    async ctx => {
      const requests = await listGrantRequests(ctx.service)
      ctx.body = { grants: requests.map(request => grantRequestView(ctx.service, request)) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/grants/:id',
      scope: 'grants:read',
      summary: 'One grant request: exactly what is asked for, and by which policies.',
    },
    async ctx => {
      ctx.body = grantRequestView(ctx.service, await findGrantRequest(ctx.service, pathId(ctx)))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/grants/:id/approve',
      scope: 'grants:write',
      summary:
        'Approves a request, for once or for minutes; by an operator who does not own the agent.',
      request: approvalRequest,
    },
    decide(true),
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/grants/:id/deny',
      scope: 'grants:write',
      summary: 'Denies a request; the same is not asked again while its time lasts.',
      request: reasonRequest,
    },
    decide(false),
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/grants/:id/withdraw',
      scope: 'grants:write',
      summary: 'Takes an approval back before its end.',
      request: reasonRequest,
    },
    async ctx => {
      const body = ctx.state.body as z.infer<typeof reasonRequest>
      const { client } = callerOf(ctx)
      const request = await withdrawGrantRequest(ctx.service, client, pathId(ctx), body.reason)
      ctx.body = grantRequestView(ctx.service, request)
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/own-grants/:id',
      scope: 'grants:own',
      summary: 'A grant request of the calling agent: whether it waits, or what became of it.',
    },
    async ctx => {
      const { client } = callerOf(ctx)
      const request = await findOwnGrantRequest(ctx.service, client, pathId(ctx))
      ctx.body = grantRequestView(ctx.service, request)
    },
  ),
]

function decide(isApproved: boolean): Step {
  return async function decideStep(ctx: RequestContext) {
    const body = ctx.state.body as z.infer<typeof approvalRequest>
    const { client } = callerOf(ctx)
    const verdict = { ...body, isApproved }
    const request = await decideGrantRequest(ctx.service, client, pathId(ctx), verdict)
    ctx.body = grantRequestView(ctx.service, request)
  }
}
