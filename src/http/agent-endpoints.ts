import { decodeBase64url } from '../core/bytes/base64url.ts'
import { proveAgentKey, requireHostCaller } from '../services/agent-credentials.ts'
import { challengeAgent, createAgent } from '../services/agents.ts'
import { listAgents } from '../services/hosts.ts'
import { agentSpiffeId } from '../services/naming.ts'
import { agentView } from '../services/view.ts'
import { callerOf, pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { certificateView, challengeView, decodeKeyEvidence, renewOwn } from './renewal-endpoints.ts'
import { answerRevocation } from './revocation-endpoints.ts'
import * as schema from './schema.ts'

/** Agents: created by their host, proven by its TPM, renewed by themselves, revoked by operators. */
export const agentEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/agents',
      scope: 'agents:create',
      summary:
        'Creates an agent of a class on the calling host; answers with a challenge for its key.',
      request: schema.agentRequest,
      status: 201,
    },
    async ctx => {
      const caller = callerOf(ctx)
      const host = await requireHostCaller(ctx.service, caller.client)
      const { class: className } = ctx.state.body as { class: string }
      const { agent, challenge } = await createAgent(ctx.service, host, caller.id, className)
      ctx.status = 201
      ctx.body = {
        agent: agentView(agent, agentSpiffeId(ctx.service, className, agent.id)),
        challenge: challengeView(challenge),
      }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/agents/:id/challenge',
      scope: 'agents:create',
      summary: 'A fresh challenge to prove a first or a new key of an agent of the calling host.',
      status: 201,
    },
    async ctx => {
      const caller = callerOf(ctx)
      const host = await requireHostCaller(ctx.service, caller.client)
      ctx.status = 201
      ctx.body = challengeView(await challengeAgent(ctx.service, host, caller.id, pathId(ctx)))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/agents/:id/credentials',
      scope: 'credentials:issue',
      summary:
        'Issues a certificate: with evidence, sent by the host, for a first or new key; with a renewal, sent by the agent, for the key it has.',
      request: schema.credentialRequest,
      status: 201,
    },
    async ctx => {
      const { csr, evidence } = ctx.state.body as schema.CredentialRequestBody
      ctx.status = 201
      ctx.body =
        evidence === undefined
          ? await renewOwn(ctx, 'agent')
          : await prove(ctx, decodeBase64url(csr), evidence)
    },
  ),
  protectedEndpoint(
    { method: 'GET', path: '/v1/agents', scope: 'agents:read', summary: 'All agents with status.' },
    async ctx => {
      const agents = await listAgents(ctx.service)
      ctx.body = {
        agents: agents.map(agent =>
          agentView(agent, agentSpiffeId(ctx.service, agent.className, agent.id)),
        ),
      }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/agents/:id/revoke',
      scope: 'agents:revoke',
      summary: 'Revokes an agent with its certificates and tokens.',
      request: schema.revocationRequest,
    },
    answerRevocation(ctx => ({ kind: 'agent', id: pathId(ctx) })),
  ),
]

async function prove(
  ctx: RequestContext,
  csr: Uint8Array,
  evidence: NonNullable<schema.CredentialRequestBody['evidence']>,
): Promise<Record<string, unknown>> {
  const caller = callerOf(ctx)
  const host = await requireHostCaller(ctx.service, caller.client)
  const { agent, certificate } = await proveAgentKey(
    ctx.service,
    host,
    caller.id,
    pathId(ctx),
    decodeKeyEvidence(csr, evidence),
    caller.sourceAddress,
  )
  return {
    agent: agentView(agent, agentSpiffeId(ctx.service, agent.className, agent.id)),
    ...certificateView(certificate),
  }
}
