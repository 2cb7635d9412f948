import { decodeBase64url, encodeBase64url } from '../core/bytes/base64url.ts'
import {
  proveAgentKey,
  renewCertificate,
  requireHostCaller,
  type AgentKeyEvidence,
} from '../services/agent-credentials.ts'
import { challengeAgent, createAgent, type KeyChallenge } from '../services/agents.ts'
import { ServiceError } from '../services/error.ts'
import { listAgents } from '../services/hosts.ts'
import type { IssuedCertificate } from '../services/issuance.ts'
import { agentSpiffeId } from '../services/naming.ts'
import { agentView, pem } from '../services/view.ts'
import { callerOf, pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { decodeHsmKey, decodeSubjectKey } from './host-endpoints.ts'
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
        'Issues a certificate: with evidence for a key the host’s TPM certified, without it to renew one’s own.',
      request: schema.credentialRequest,
      status: 201,
    },
    async ctx => {
      const { csr, evidence } = ctx.state.body as schema.CredentialRequestBody
      ctx.status = 201
      ctx.body =
        evidence === undefined
          ? await renewOwn(ctx, decodeBase64url(csr))
          : await prove(ctx, decodeBase64url(csr), evidence)
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hosts/:id/credentials',
      scope: 'credentials:issue',
      summary: 'Renews the calling host’s own certificate for the key proven at its enrolment.',
      request: schema.credentialRequest.omit({ evidence: true }),
      status: 201,
    },
    async ctx => {
      ctx.status = 201
      ctx.body = await renewOwn(ctx, decodeBase64url((ctx.state.body as { csr: string }).csr))
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
  const { challenge } = evidence
  const proof: AgentKeyEvidence =
    'hsm' in evidence
      ? { hardware: 'hsm', challenge, ...decodeHsmKey(csr, evidence.hsm) }
      : { hardware: 'tpm', challenge, csr, subjectKey: decodeSubjectKey(evidence.subjectKey) }
  const { agent, certificate } = await proveAgentKey(
    ctx.service,
    host,
    caller.id,
    pathId(ctx),
    proof,
    caller.sourceAddress,
  )
  return {
    agent: agentView(agent, agentSpiffeId(ctx.service, agent.className, agent.id)),
    ...certificateView(certificate),
  }
}

async function renewOwn(ctx: RequestContext, csr: Uint8Array): Promise<Record<string, unknown>> {
  const { client, sourceAddress } = callerOf(ctx)
  const own =
    client.kind === 'agent' ? client.agent.id : client.kind === 'host' ? client.host.id : undefined
  const path = client.kind === 'agent' ? '/v1/agents/' : '/v1/hosts/'
  if (own !== pathId(ctx) || !ctx.path.startsWith(path)) {
    throw new ServiceError('caller-not-permitted', {
      expected: own ?? 'a host or agent',
      found: pathId(ctx),
    })
  }
  return certificateView(await renewCertificate(ctx.service, client, csr, sourceAddress))
}

function certificateView(certificate: IssuedCertificate): Record<string, unknown> {
  const { serial, notAfter, chain } = certificate
  return { serial, notAfter, certificateChain: chain.map(pem) }
}

function challengeView(challenge: KeyChallenge): Record<string, unknown> {
  return { ...challenge, nonce: encodeBase64url(challenge.nonce) }
}
