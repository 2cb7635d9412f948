import { z } from 'zod'
import type { PolicyDocument } from '../core/appraisal/policy.ts'
import { activatePolicy, findPolicy, listPolicies, proposePolicy } from '../services/policies.ts'
import { simulatePolicy } from '../services/policy-simulation.ts'
import { policyActivationView, policyView } from '../services/view.ts'
import { callerOf, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import { policySchema } from './policy-schema.ts'

/** A policy with the allow-lists of a fleet. */
const policyLimit = 4 * 1024 * 1024

export const activationRequest: z.ZodObject<{ jws: z.ZodString }, z.core.$strict> = z.strictObject({
  /** Compact JWS over digest and version, by the caller's key. */
  jws: z
    .string()
    .max(8192)
    .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a compact JWS'),
})

/** The Appraisal Policy in its versions: proposed, tried on what is kept, put into force. */
export const policyEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/policies',
      scope: 'policies:read',
      summary: 'All versions of the appraisal policy, and which is in force since when.',
    },
    async ctx => {
      const { policies, activations } = await listPolicies(ctx.service)
      ctx.body = {
        active: activations.at(-1)?.version ?? null,
        policies: policies.map(policyView),
        activations: activations.map(policyActivationView),
      }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/policies',
      scope: 'policies:write',
      summary: 'Keeps a policy as a new version; it decides nothing before it is activated.',
      request: policySchema,
      limit: policyLimit,
      status: 201,
    },
    async ctx => {
      const document = ctx.state.body as PolicyDocument
      ctx.status = 201
      ctx.body = policyView(await proposePolicy(ctx.service, callerOf(ctx).id, document))
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/policies/:version',
      scope: 'policies:read',
      summary: 'One version of the appraisal policy.',
    },
    async ctx => {
      ctx.body = policyView(await findPolicy(ctx.service, pathVersion(ctx)))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/policies/:version/simulate',
      scope: 'policies:read',
      summary: 'Which hosts would change status under this version, and why; changes nothing.',
    },
    async ctx => {
      ctx.body = await simulatePolicy(ctx.service, pathVersion(ctx))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/policies/:version/activate',
      scope: 'policies:activate',
      summary: 'Puts this version into force, by the signature of the operator who says so.',
      request: activationRequest,
    },
    async ctx => {
      const { jws } = ctx.state.body as z.infer<typeof activationRequest>
      const activation = await activatePolicy(ctx.service, callerOf(ctx), pathVersion(ctx), jws)
      ctx.body = policyActivationView(activation)
    },
  ),
]

/** The version in the path; throws HttpError `not-found` for what is none. */
export function pathVersion(ctx: RequestContext): number {
  const version = ctx.params['version'] ?? ''
  if (!/^[1-9]\d{0,8}$/.test(version)) throw new HttpError('not-found', { expected: 'a version' })
  return Number(version)
}
