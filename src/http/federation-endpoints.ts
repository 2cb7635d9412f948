import { z } from 'zod'
import { bundleProfiles } from '../core/spiffe/bundle-endpoint.ts'
import { isTrustDomain } from '../core/spiffe/spiffe-id.ts'
import { refreshFederation } from '../services/federation-refresh.ts'
import {
  addFederation,
  bundleMap,
  bundleOf,
  federationSummaryView,
  federationView,
  findFederation,
  listFederations,
  removeFederation,
  type FederationRequest,
} from '../services/federations.ts'
import { bundleEndpoint } from './authority-endpoints.ts'
import { callerOf, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'

const bundleBytes = 1024 * 1024
/** A bundle as a JSON text, with each of its quotation marks escaped. */
const bodyLimit = 2 * bundleBytes + 16 * 1024

const trustDomain = z
  .string()
  .refine(isTrustDomain, 'a trust domain: lower-case letters, digits, dots, dashes, underscores')
const spiffeId = z.string().startsWith('spiffe://', 'a SPIFFE ID').max(2048)

const federationRequest = z.strictObject({
  trustDomain,
  url: z.url({ protocol: /^https$/ }).max(2048),
  profile: z.enum(bundleProfiles),
  endpointId: spiffeId.exactOptional(),
  bundle: z.string().max(bundleBytes).exactOptional(),
})

type FederationBody = Pick<FederationRequest, 'trustDomain' | 'url' | 'profile'> &
  Partial<Pick<FederationRequest, 'endpointId' | 'bundle'>>

const removalRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) })

/** The trust domain in the path. Throws HttpError `not-found` for what no trust domain looks like. */
function pathTrustDomain(ctx: RequestContext): string {
  const text = ctx.params['trustDomain'] ?? ''
  if (!isTrustDomain(text)) throw new HttpError('not-found', { expected: 'a trust domain' })
  return text
}

function answerBundle(ctx: RequestContext, text: string): void {
  ctx.type = 'application/json'
  ctx.body = text
  ctx.set('Cache-Control', 'public, max-age=60')
}

/** The bundles of all trust domains that are known here, for those who verify SVIDs; open to everybody. */
const bundleEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/v1/bundles',
    summary:
      'The trust bundles of this and all federated trust domains, each under its name (SPIFFE bundle map).',
    steps: [async ctx => answerBundle(ctx, await bundleMap(ctx.service))],
  },
  {
    method: 'GET',
    path: '/v1/bundles/:trustDomain',
    summary: 'The trust bundle of one trust domain, as that domain published it.',
    steps: [async ctx => answerBundle(ctx, await bundleOf(ctx.service, pathTrustDomain(ctx)))],
  },
]

/** What a listener serves that is for bundles alone. */
export const publicBundleEndpoints: readonly Endpoint[] = [bundleEndpoint, ...bundleEndpoints]

/** Following the bundles of other trust domains: decided by administrators. */
export const federationEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/federations',
      scope: 'federations:read',
      summary: 'The other trust domains whose bundles are followed, and how that went last.',
    },
    async ctx => {
      ctx.body = { federations: (await listFederations(ctx.service)).map(federationSummaryView) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/federations',
      scope: 'federations:write',
      summary: 'Begins to follow the bundle of another trust domain at its bundle endpoint.',
      request: federationRequest,
      limit: bodyLimit,
      status: 201,
    },
    async ctx => {
      const { endpointId, bundle, ...rest } = ctx.state.body as FederationBody
      const request = { ...rest, endpointId, bundle }
      ctx.status = 201
      ctx.body = federationView(await addFederation(ctx.service, callerOf(ctx).id, request))
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/federations/:trustDomain',
      scope: 'federations:read',
      summary: 'One other trust domain, with what is in its bundle.',
    },
    async ctx => {
      ctx.body = federationView(await findFederation(ctx.service, pathTrustDomain(ctx)))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/federations/:trustDomain/refresh',
      scope: 'federations:write',
      summary: 'Fetches the bundle of another trust domain now.',
    },
    async ctx => {
      const name = pathTrustDomain(ctx)
      const { isNew } = await refreshFederation(ctx.service, callerOf(ctx).id, name)
      ctx.body = { ...federationView(await findFederation(ctx.service, name)), isNew }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/federations/:trustDomain/remove',
      scope: 'federations:write',
      summary: 'Ends the following of a trust domain; its bundle is gone at once.',
      request: removalRequest,
    },
    async ctx => {
      const name = pathTrustDomain(ctx)
      const { reason } = ctx.state.body as { reason: string }
      await removeFederation(ctx.service, callerOf(ctx).id, name, reason)
      ctx.body = { trustDomain: name }
    },
  ),
  ...bundleEndpoints,
]
