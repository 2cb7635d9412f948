import { decodeBase64url, encodeBase64url } from '../core/bytes/base64url.ts'
import { proveEnrollment, type EnrollmentAnswer } from '../services/enrollment.ts'
import { requestEnrollment } from '../services/enrollment-request.ts'
import { isAnswerAwaited } from '../services/attempt.ts'
import { requestHsmEnrollment } from '../services/hsm-enrollment-request.ts'
import type { HsmAnswer } from '../services/hsm-evidence.ts'
import { ServiceError } from '../services/error.ts'
import { hostSpiffeId, isEnrollmentId } from '../services/naming.ts'
import { findHost, listHosts } from '../services/hosts.ts'
import { hostView, pem } from '../services/view.ts'
import { readJson } from './body.ts'
import { pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { answerRevocation } from './revocation-endpoints.ts'
import { limitEnrollments } from './limit-enrollments.ts'
import * as schema from './schema.ts'

/** Evidence with the logs of a boot and of a long run, of a host that was challenged and is awaited. */
const evidenceLimit = 8 * 1024 * 1024
const unawaitedLimit = 256 * 1024

/** Enrolment, for which the evidence is the authentication, and what operators see and do of hosts. */
export const hostEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/v1/enrollments',
    summary:
      'Shows an EK certificate and an attestation key, or names a token; answers with a challenge for that hardware.',
    request: schema.enrollmentRequest,
    status: 201,
    isLimited: true,
    steps: [
      limitEnrollments,
      readJson(schema.enrollmentRequest),
      async ctx => {
        const body = ctx.state.body as schema.EnrollmentRequestBody
        ctx.body = 'hsm' in body ? await challengeHsm(ctx, body) : await challengeTpm(ctx, body)
        ctx.status = 201
      },
    ],
  },
  {
    method: 'POST',
    path: '/v1/enrollments/:id/evidence',
    summary:
      'Answers the challenge with the host’s Evidence; gives its certificate and the Attestation Result.',
    request: schema.evidenceRequest,
    status: 201,
    steps: [
      requireEnrollmentId,
      readEvidence,
      async ctx => {
        const answer = decodeEvidence(ctx.state.body as schema.EvidenceRequestBody)
        const enrolled = await proveEnrollment(
          ctx.service,
          pathId(ctx),
          answer,
          ctx.req.socket.remoteAddress,
        )
        ctx.status = 201
        ctx.body = {
          host: hostView(enrolled.host, hostSpiffeId(ctx.service, enrolled.host.id)),
          certificateChain: enrolled.certificate.chain.map(pem),
          attestationResult: enrolled.attestationResult,
          ear: enrolled.ear,
        }
      },
    ],
  },
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/hosts',
      scope: 'hosts:read',
      summary: 'All hosts with status and verdict.',
    },
    async ctx => {
      const hosts = await listHosts(ctx.service)
      ctx.body = { hosts: hosts.map(host => hostView(host, hostSpiffeId(ctx.service, host.id))) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/hosts/:id',
      scope: 'hosts:read',
      summary: 'One host with its verdict.',
    },
    async ctx => {
      const host = await findHost(ctx.service, pathId(ctx))
      ctx.body = hostView(host, hostSpiffeId(ctx.service, host.id))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hosts/:id/revoke',
      scope: 'hosts:revoke',
      summary: 'Revokes a host with every agent, certificate and token under it.',
      request: schema.revocationRequest,
    },
    answerRevocation(ctx => ({ kind: 'host', id: pathId(ctx) })),
  ),
]

async function challengeTpm(
  ctx: RequestContext,
  { name, endorsementKey, attestationKey }: schema.TpmEnrollmentBody,
): Promise<Record<string, unknown>> {
  const challenge = await requestEnrollment(ctx.service, {
    name,
    endorsementKey: {
      public: decodeBase64url(endorsementKey.public),
      certificate: decodeOptional(endorsementKey.certificate),
      chain: endorsementKey.chain.map(decodeBase64url),
    },
    attestationKey: { public: decodeBase64url(attestationKey.public) },
  })
  return {
    ...challenge,
    nonce: encodeBase64url(challenge.nonce),
    credentialBlob: encodeBase64url(challenge.credentialBlob),
    encryptedSecret: encodeBase64url(challenge.encryptedSecret),
  }
}

async function challengeHsm(
  ctx: RequestContext,
  body: schema.HsmEnrollmentBody,
): Promise<Record<string, unknown>> {
  const challenge = await requestHsmEnrollment(ctx.service, body)
  return { ...challenge, nonce: encodeBase64url(challenge.nonce) }
}

/** Megabytes are read for an enrolment that was begun here, and for nothing else. */
async function requireEnrollmentId(
  ctx: RequestContext,
  next: () => Promise<unknown>,
): Promise<void> {
  if (!isEnrollmentId(ctx.service, pathId(ctx))) throw new ServiceError('enrollment-unknown')
  await next()
}

/** Leaves `ctx.state.body`; how much is read depends on whether anybody waits for it. */
async function readEvidence(ctx: RequestContext, next: () => Promise<unknown>): Promise<void> {
  const isAwaited = await isAnswerAwaited(ctx.service, pathId(ctx))
  const read = readJson(schema.evidenceRequest, isAwaited ? evidenceLimit : unawaitedLimit)
  await read(ctx, next)
}

function decodeOptional(text: string | undefined): Uint8Array | null {
  return text === undefined ? null : decodeBase64url(text)
}

function decodeEvidence(body: schema.EvidenceRequestBody): EnrollmentAnswer {
  if ('hsm' in body)
    return { hardware: 'hsm', answer: decodeHsmKey(decodeBase64url(body.csr), body.hsm) }
  const attestation = (part: { attest: string; signature: string }) => ({
    attest: decodeBase64url(part.attest),
    signature: decodeBase64url(part.signature),
  })
  const answer = {
    activation: decodeBase64url(body.activation),
    quote: attestation(body.quote),
    pcrs: { sha256: body.pcrs.sha256 },
    subjectKey: decodeSubjectKey(body.subjectKey),
    csr: decodeBase64url(body.csr),
    eventLog: decodeOptional(body.eventLog),
    imaLog: decodeOptional(body.imaLog),
  }
  return { hardware: 'tpm', answer }
}

/** What vouches for a key of an HSM, from its JSON form. */
export function decodeHsmKey(csr: Uint8Array, key: schema.HsmKeyBody): HsmAnswer {
  return {
    csr,
    statement: decodeOptional(key.statement) ?? new Uint8Array(),
    chain: key.chain.map(decodeBase64url),
    proof: decodeBase64url(key.proof),
  }
}

/** A certified key from its JSON form. */
export function decodeSubjectKey(key: schema.SubjectKeyBody): {
  public: Uint8Array
  parent: { public: Uint8Array; hierarchy: 'owner' | 'endorsement' }
  certify: { attest: Uint8Array; signature: Uint8Array }
} {
  return {
    public: decodeBase64url(key.public),
    parent: { public: decodeBase64url(key.parent.public), hierarchy: key.parent.hierarchy },
    certify: {
      attest: decodeBase64url(key.certify.attest),
      signature: decodeBase64url(key.certify.signature),
    },
  }
}
