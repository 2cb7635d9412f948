import {
  issueClientAttestation,
  issueJwtSvid,
  issueWitSvid,
  type IdentityToken,
} from '../services/identity-tokens.ts'
import { callerOf } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import * as schema from './schema.ts'

const scope = 'credentials:issue'

/** Statements about the caller that others verify: SVIDs, client attestations. */
export const identityEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/svids/jwt',
      scope,
      summary: 'A JWT-SVID of the calling host or agent for one audience.',
      request: schema.jwtSvidRequest,
    },
    async ctx => {
      const { audience } = ctx.state.body as { audience: string }
      ctx.body = svid(await issueJwtSvid(ctx.service, callerOf(ctx), audience))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/svids/wit',
      scope,
      summary: 'A WIT-SVID of the calling host or agent, bound to its attested key.',
    },
    async ctx => {
      ctx.body = svid(await issueWitSvid(ctx.service, callerOf(ctx)))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/client-attestations',
      scope,
      summary:
        'A client attestation, to authenticate to an authorization server that trusts this one.',
      request: schema.clientAttestationRequest,
    },
    async ctx => {
      const caller = callerOf(ctx)
      const { clientId = caller.id } = ctx.state.body as { clientId?: string }
      const { token, expiresAt } = await issueClientAttestation(ctx.service, caller, clientId)
      ctx.body = { clientAttestation: token, expiresAt }
    },
  ),
]

function svid({ token, expiresAt }: IdentityToken): Record<string, unknown> {
  return { svid: token, expiresAt }
}
