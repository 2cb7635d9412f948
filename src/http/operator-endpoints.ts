import { listClasses, registerClass } from '../services/classes.ts'
import { listOperators, registerOperator } from '../services/operators.ts'
import { callerOf, pathId } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { answerRevocation } from './revocation-endpoints.ts'
import * as schema from './schema.ts'

/** What operators administer: agent classes, each other. */
export const operatorEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/classes',
      scope: 'classes:read',
      summary: 'The registered agent classes.',
    },
    async ctx => {
      ctx.body = { classes: await listClasses(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/classes',
      scope: 'classes:write',
      summary: 'Registers an agent class: where its agents may run and what they may ask for.',
      request: schema.classRequest,
      status: 201,
    },
    async ctx => {
      ctx.status = 201
      ctx.body = await registerClass(
        ctx.service,
        callerOf(ctx).id,
        ctx.state.body as schema.ClassRequestBody,
      )
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/operators',
      scope: 'operators:read',
      summary: 'The operators and relying parties.',
    },
    async ctx => {
      ctx.body = { operators: await listOperators(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/operators',
      scope: 'operators:write',
      summary: 'Registers the public key of an operator or relying party.',
      request: schema.operatorRequest,
      status: 201,
    },
    async ctx => {
      ctx.status = 201
      ctx.body = await registerOperator(
        ctx.service,
        callerOf(ctx).id,
        ctx.state.body as schema.OperatorRequestBody,
      )
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/operators/:id/revoke',
      scope: 'operators:write',
      summary: 'Takes an operator’s key out of use.',
      request: schema.revocationRequest,
    },
    answerRevocation(ctx => ({ kind: 'operator', id: pathId(ctx) })),
  ),
]
