import { listHsmKeys, registerHsmKey, retireHsmKey } from '../services/hsm-keys.ts'
import { hsmKeyView } from '../services/view.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import * as schema from './schema.ts'

/** Attestation keys of HSMs: what operators vouch for at the level hsm-declared. */
export const hsmKeyEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/hsm-keys',
      scope: 'endorsements:read',
      summary: 'Registered attestation keys of HSMs, newest first.',
    },
    async ctx => {
      ctx.body = { hsmKeys: (await listHsmKeys(ctx.service)).map(hsmKeyView) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hsm-keys',
      scope: 'endorsements:write',
      summary: 'Registers the attestation key of a token, as read at the token in a ceremony.',
      request: schema.hsmKeyRequest,
      status: 201,
    },
    async ctx => {
      const body = ctx.state.body as schema.HsmKeyRequestBody
      ctx.status = 201
      ctx.body = hsmKeyView(await registerHsmKey(ctx.service, callerOf(ctx).id, body))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hsm-keys/:id/retire',
      scope: 'endorsements:write',
      summary: 'Takes an attestation key out of use; hosts that are in are not revoked with it.',
      request: schema.retirementRequest,
    },
    async ctx => {
      const { reason } = ctx.state.body as { reason: string }
      await retireHsmKey(ctx.service, callerOf(ctx).id, pathId(ctx), reason)
      ctx.body = { jkt: pathId(ctx), status: 'retired' }
    },
  ),
]
