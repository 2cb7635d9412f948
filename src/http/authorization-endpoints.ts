import { z } from 'zod'
import {
  activateAuthorization,
  findAuthorization,
  listAuthorizations,
  proposeAuthorization,
} from '../services/authorization-policies.ts'
import { simulateAuthorization } from '../services/authorization-simulation.ts'
import {
  clearRisk,
  listHostLabels,
  listRisks,
  setHostLabels,
  setRisk,
  type RiskRequest,
} from '../services/marks.ts'
import { policyActivationView } from '../services/view.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { activationRequest, pathVersion } from './policy-endpoints.ts'

const policyLimit = 4 * 1024 * 1024

const policySetRequest = z.strictObject({
  /** Cedar policies. */
  policies: z.string().max(1024 * 1024),
})

const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,62}$/, 'letters, digits, . _ : / -; 63 at most')

const labelRequest = z.strictObject({ labels: z.array(label).max(64) })

const riskSubject = {
  kind: z.enum(['host', 'agent', 'class', 'operator']),
  subjectId: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'an id, or the name of a class'),
}

const riskRequest = z.strictObject({
  ...riskSubject,
  score: z.int().min(1).max(100),
  reason: z.string().min(1).max(200),
  expiresInSeconds: z
    .int()
    .min(1)
    .max(366 * 86_400),
})

const riskClearing = z.strictObject(riskSubject)

/** Authorization: policy sets in their versions, and what operators write down for them. */
export const authorizationEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/authorization/policies',
      scope: 'policies:read',
      summary: 'All versions of the authorization policies, and which is in force since when.',
    },
    async ctx => {
      const { policies, activations } = await listAuthorizations(ctx.service)
      ctx.body = {
        active: activations.at(-1)?.version ?? null,
        policies,
        activations: activations.map(policyActivationView),
      }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorization/policies',
      scope: 'policies:write',
      summary: 'Keeps a set of Cedar policies as a new version, validated and linted.',
      request: policySetRequest,
      limit: policyLimit,
      status: 201,
    },
    async ctx => {
      const { policies } = ctx.state.body as z.infer<typeof policySetRequest>
      ctx.status = 201
      ctx.body = await proposeAuthorization(ctx.service, callerOf(ctx).id, policies)
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/authorization/policies/:version',
      scope: 'policies:read',
      summary: 'One version of the authorization policies.',
    },
    async ctx => {
      ctx.body = await findAuthorization(ctx.service, pathVersion(ctx))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorization/policies/:version/simulate',
      scope: 'policies:read',
      summary: 'What hosts and agents would lose or gain under this version; changes nothing.',
    },
    async ctx => {
      ctx.body = await simulateAuthorization(ctx.service, pathVersion(ctx))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/authorization/policies/:version/activate',
      scope: 'policies:activate',
      summary: 'Puts this version into force, by the signature of the operator who says so.',
      request: activationRequest,
    },
    async ctx => {
      const { jws } = ctx.state.body as z.infer<typeof activationRequest>
      const caller = callerOf(ctx)
      const activation = await activateAuthorization(ctx.service, caller, pathVersion(ctx), jws)
      ctx.body = policyActivationView(activation)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hosts/:id/labels',
      scope: 'hosts:label',
      summary: 'Writes the labels of a host, which policies read, in place of those it had.',
      request: labelRequest,
    },
    async ctx => {
      const { labels } = ctx.state.body as z.infer<typeof labelRequest>
      ctx.body = await setHostLabels(ctx.service, callerOf(ctx).id, pathId(ctx), labels)
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/host-labels',
      scope: 'hosts:read',
      summary: 'The labels of every host that has some.',
    },
    async ctx => {
      ctx.body = { labels: await listHostLabels(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/risk',
      scope: 'risk:read',
      summary: 'The risk scores that count now: whose, by whom, why, until when.',
    },
    async ctx => {
      ctx.body = { risks: await listRisks(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/risk',
      scope: 'risk:write',
      summary: 'Sets the risk score of a host, agent, class or operator until a time.',
      request: riskRequest,
    },
    async ctx => {
      ctx.body = await setRisk(ctx.service, callerOf(ctx).id, ctx.state.body as RiskRequest)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/risk/clear',
      scope: 'risk:write',
      summary: 'Takes a risk score back before its time.',
      request: riskClearing,
    },
    async ctx => {
      const { kind, subjectId } = ctx.state.body as z.infer<typeof riskClearing>
      await clearRisk(ctx.service, callerOf(ctx).id, kind, subjectId)
      ctx.body = { kind, subjectId }
    },
  ),
]
