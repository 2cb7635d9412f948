import type { RevocationTarget } from '../services/revocation.ts'
import { previewRevocation, revoke } from '../services/revocation.ts'
import { firmwareRange } from '../services/firmware-range.ts'
import { callerOf, type RequestContext, type Step } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import {
  revocationActRequest,
  type RevocationActRequestBody,
  type RevocationRequestBody,
} from './revocation-schema.ts'

/** Revokes, or with `dryRun` tells what would fall. What is revoked, the address or the body says. */
export function answerRevocation(targetOf: (ctx: RequestContext) => RevocationTarget): Step {
  return async function answerRevocationStep(ctx) {
    const { reason, reasonCode, dryRun } = ctx.state.body as RevocationRequestBody
    const target = targetOf(ctx)
    const act = dryRun === true ? previewRevocation : revoke
    const outcome = await act(ctx.service, callerOf(ctx).id, target, {
      text: reason,
      code: reasonCode,
    })
    ctx.body = {
      ...('id' in target ? { id: target.id } : {}),
      ...outcome,
      ...(dryRun === true ? { isDryRun: true } : { status: 'revoked' }),
    }
  }
}

/** One call for whatever can be taken back. */
export const revocationEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/revocations',
      scope: 'revocations:write',
      summary:
        'Revokes a host, agent, class, endorsement key, manufacturer’s certificate, firmware range, operator or certificate with everything under it.',
      request: revocationActRequest,
    },
    answerRevocation(ctx => {
      const { target } = ctx.state.body as RevocationActRequestBody
      return target.kind === 'firmware'
        ? firmwareRange(target.vendor, target.from, target.to)
        : target
    }),
  ),
]
