import { decodeBase64url, encodeBase64url } from '../core/bytes/base64url.ts'
import { proveEnrollment } from '../services/enrollment.ts'
import { requestEnrollment } from '../services/enrollment-request.ts'
import { isAnswerAwaited, type EnrollmentAnswer } from '../services/attempt.ts'
import { ServiceError } from '../services/error.ts'
import { hostSpiffeId, isEnrollmentId } from '../services/naming.ts'
import { findHost, listHosts } from '../services/hosts.ts'
import { revokeHost } from '../services/revocation.ts'
import { hostView, pem } from '../services/view.ts'
import { readJson } from './body.ts'
import { callerOf, pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
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
      'Shows an EK certificate and an attestation key; answers with a challenge that only their TPM can solve.',
    request: schema.enrollmentRequest,
    status: 201,
    isLimited: true,
    steps: [
      limitEnrollments,
      readJson(schema.enrollmentRequest),
      async ctx => {
        const { name, endorsementKey, attestationKey } = ctx.state
          .body as schema.EnrollmentRequestBody
        const challenge = await requestEnrollment(ctx.service, {
          name,
          endorsementKey: {
            public: decodeBase64url(endorsementKey.public),
            certificate: decodeOptional(endorsementKey.certificate),
            chain: endorsementKey.chain.map(decodeBase64url),
          },
          attestationKey: { public: decodeBase64url(attestationKey.public) },
        })
        ctx.status = 201
        ctx.body = {
          ...challenge,
          nonce: encodeBase64url(challenge.nonce),
          credentialBlob: encodeBase64url(challenge.credentialBlob),
          encryptedSecret: encodeBase64url(challenge.encryptedSecret),
        }
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
        const enrolled = await proveEnrollment(ctx.service, pathId(ctx), answer)
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
    async ctx => {
      const { reason } = ctx.state.body as { reason: string }
      ctx.body = await revokeHost(ctx.service, callerOf(ctx).id, pathId(ctx), reason)
    },
  ),
]

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
  const attestation = (part: { attest: string; signature: string }) => ({
    attest: decodeBase64url(part.attest),
    signature: decodeBase64url(part.signature),
  })
  return {
    activation: decodeBase64url(body.activation),
    quote: attestation(body.quote),
    pcrs: { sha256: body.pcrs.sha256 },
    subjectKey: decodeSubjectKey(body.subjectKey),
    csr: decodeBase64url(body.csr),
    eventLog: decodeOptional(body.eventLog),
    imaLog: decodeOptional(body.imaLog),
  }
}

/** A certified key from its JSON form. */
export function decodeSubjectKey(key: schema.EvidenceRequestBody['subjectKey']): {
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
