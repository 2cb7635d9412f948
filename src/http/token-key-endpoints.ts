import { z } from 'zod'
import { retireTokenKey, rotateTokenKey } from '../services/token-key-rotation.ts'
import { tokenKeyView } from '../services/token-key-view.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'

const reason = z.string().trim().min(1).max(500)

interface RotationBody {
  readonly force: boolean
  readonly reason?: string
  readonly from?: string
}

const rotationRequest: z.ZodType<RotationBody> = z
  .strictObject({
    force: z.boolean().default(false),
    reason: reason.exactOptional(),
    /** The key that signs as the caller knows it: nothing is done where another one does by now. */
    from: z.string().min(1).max(64).exactOptional(),
  })
  .refine(({ force, reason: why }) => !force || why !== undefined, {
    path: ['reason'],
    message: 'force takes a reason',
  })

interface RetirementBody {
  readonly reason: string
  readonly successor?: 'embedded'
}

const retirementRequest: z.ZodType<RetirementBody> = z.strictObject({
  reason,
  /** Makes the next key on the disk, where its usual place is away and this cannot wait. */
  successor: z.literal('embedded').exactOptional(),
})

/** The keys that sign tokens: seen by auditors, turned over by administrators. */
export const tokenKeyEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/token-keys',
      scope: 'token-keys:read',
      summary: 'The keys that sign tokens, with their states and times.',
    },
    async ctx => {
      const { service } = ctx
      await service.tokenKeys.read()
      ctx.body = { keys: service.tokenKeys.records.map(record => tokenKeyView(service, record)) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/token-keys',
      scope: 'token-keys:write',
      summary:
        'Makes the next key: published at once, it signs when every copy of the key set has it, or at once by force.',
      request: rotationRequest,
      status: 201,
    },
    async ctx => {
      const { service } = ctx
      const { force, reason: why, from } = ctx.state.body as RotationBody
      const request = { isForced: force, reason: why ?? null, from }
      const record = await rotateTokenKey(service, callerOf(ctx).id, request)
      ctx.status = 201
      ctx.body = tokenKeyView(service, record)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/token-keys/:id/retire',
      scope: 'token-keys:write',
      summary: 'Takes a key out at once: nothing that it signed is accepted from now on.',
      request: retirementRequest,
    },
    async ctx => {
      const { service } = ctx
      const request = ctx.state.body as RetirementBody
      const record = await retireTokenKey(service, callerOf(ctx).id, pathId(ctx), request)
      ctx.body = tokenKeyView(service, record)
    },
  ),
]
