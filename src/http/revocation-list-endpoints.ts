import { z } from 'zod'
import { decodeBase64url } from '../core/bytes/base64url.ts'
import {
  addRevocationList,
  listRevocationLists,
  type KeptList,
} from '../services/revocation-lists.ts'
import { callerOf } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { base64url, source } from './schema.ts'

/** DER of the largest list that is kept: some thirty thousand revoked certificates. */
const listBytes = 1024 * 1024
const bodyLimit = Math.ceil((listBytes * 4) / 3) + 1024

const revocationListRequest = z.strictObject({
  list: base64url(listBytes),
  source: source.default('given by hand'),
})

type RevocationListRequest = z.infer<typeof revocationListRequest>

/** What issuers of endorsement key certificates revoked. */
export const revocationListEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/revocation-lists',
      scope: 'anchors:read',
      summary: 'Revocation lists and OCSP responses that are kept, and which of them are stale.',
    },
    async ctx => {
      ctx.body = { revocationLists: (await listRevocationLists(ctx.service)).map(viewOf) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/revocation-lists',
      scope: 'anchors:write',
      summary: 'Takes in a revocation list or OCSP response of an authority in force.',
      request: revocationListRequest,
      limit: bodyLimit,
      status: 201,
    },
    async ctx => {
      const { list, ...rest } = ctx.state.body as RevocationListRequest
      const offered = { ...rest, list: decodeBase64url(list) }
      ctx.status = 201
      ctx.body = viewOf(await addRevocationList(ctx.service, callerOf(ctx).id, offered))
    },
  ),
]

/** A list as the API shows it: its number as text, since it may be longer than JSON's numbers are exact. */
function viewOf({ number, slot: _slot, ...shown }: KeptList): Record<string, unknown> {
  return { ...shown, number: number.toString() }
}
