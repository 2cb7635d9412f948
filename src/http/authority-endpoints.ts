import {
  activateAuthority,
  destroyAuthorityKey,
  listAdoptions,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../services/authority-rotation.ts'
import { authorityView, rotationView } from '../services/authority-view.ts'
import { requireHostCaller } from '../services/agent-credentials.ts'
import { recordAdoption, trustBundle } from '../services/trust-bundle.ts'
import * as schema from './authority-schema.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'

const summaries = {
  taint:
    'Ends issuance under an authority; what it signed is to be renewed at once, and is trusted till then.',
  revoke: 'Takes an authority out of trust, with every certificate below it.',
} as const

/** The trust bundle of this trust domain; open to everybody. */
export const bundleEndpoint: Endpoint = {
  method: 'GET',
  path: '/v1/bundle',
  summary:
    'The trust bundle of this trust domain (SPIFFE bundle): roots and token keys, with sequence and refresh hint.',
  steps: [
    async ctx => {
      const bundle = await trustBundle(ctx.service)
      ctx.type = 'application/json'
      ctx.body = JSON.stringify(bundle)
      ctx.set('Cache-Control', `public, max-age=${Math.min(60, bundle.spiffe_refresh_hint)}`)
      ctx.set('ETag', `"${bundle.spiffe_sequence}-${bundle.spiffe_refresh_hint}"`)
      ctx.status = 200
      if (ctx.fresh) ctx.status = 304
    },
  ],
}

/** The authorities and their trust bundle: read by everybody, turned over by administrators, followed by hosts. */
export const authorityEndpoints: readonly Endpoint[] = [
  bundleEndpoint,
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/bundle/adoption',
      scope: 'bundle:adopt',
      summary: 'A host says which trust bundle it keeps; a new authority waits for all of them.',
      request: schema.adoptionRequest,
    },
    async ctx => {
      const caller = callerOf(ctx)
      const host = await requireHostCaller(ctx.service, caller.client)
      const { sequence } = ctx.state.body as { sequence: number }
      await recordAdoption(ctx.service, { id: host.id, spiffeId: caller.id }, sequence)
      ctx.body = { sequence }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/authorities',
      scope: 'authorities:read',
      summary: 'The authorities with their states, and which hosts keep which trust bundle.',
    },
    async ctx => {
      await ctx.service.authorities.reload()
      ctx.body = rotationView(ctx.service.authorities, await listAdoptions(ctx.service))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorities',
      scope: 'authorities:write',
      summary:
        'Prepares the next authority: its root is in the trust bundle at once, it signs nothing.',
      request: schema.preparationRequest,
      status: 201,
    },
    async ctx => {
      const { kind, place, reason } = ctx.state.body as schema.PreparationBody
      const request = { kind, place, reason: reason ?? null }
      const { authority, bundleSequence } = await prepareAuthority(
        ctx.service,
        callerOf(ctx).id,
        request,
      )
      ctx.status = 201
      ctx.body = { ...authorityView(authority), currentBundle: bundleSequence }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorities/:id/activate',
      scope: 'authorities:write',
      summary:
        'Makes a prepared authority the one that issues, once all hosts keep its trust bundle.',
      request: schema.activationRequest,
    },
    async ctx => {
      const { force, reason } = ctx.state.body as schema.ActivationBody
      const request = { isForced: force, reason: reason ?? null }
      const id = pathId(ctx)
      const { authority } = await activateAuthority(ctx.service, callerOf(ctx).id, id, request)
      ctx.body = authorityView(authority)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorities/:id/destroy-key',
      scope: 'authorities:write',
      summary: 'Destroys the key of an authority that issues no more; nothing brings it back.',
      request: schema.destructionRequest,
    },
    async ctx => {
      const { force, reason } = ctx.state.body as { force: boolean; reason: string }
      const request = { isForced: force, reason }
      const done = await destroyAuthorityKey(ctx.service, callerOf(ctx).id, pathId(ctx), request)
      ctx.body = authorityView(done.authority)
    },
  ),
  ...(['taint', 'revoke'] as const).map(verb =>
    protectedEndpoint(
      {
        method: 'POST',
        path: `/v1/authorities/:id/${verb}`,
        scope: 'authorities:write',
        summary: summaries[verb],
        request: schema.reasonRequest,
      },
      async ctx => {
        const { reason } = ctx.state.body as { reason: string }
        const change = verb === 'taint' ? taintAuthority : revokeAuthority
        const done = await change(ctx.service, callerOf(ctx).id, pathId(ctx), reason)
        const { authority, certificates, bundleSequence } = done
        ctx.body = { ...authorityView(authority), certificates, currentBundle: bundleSequence }
      },
    ),
  ),
]
