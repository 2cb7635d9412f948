import { decodeBase64url, encodeBase64url } from '../core/bytes/base64url.ts'
import type { KeyChallenge } from '../services/challenge.ts'
import { ServiceError } from '../services/error.ts'
import type { IssuedCertificate } from '../services/issuance.ts'
import type { KeyEvidence } from '../services/key-evidence.ts'
import { clientId } from '../services/naming.ts'
import { findRenewalInfo } from '../services/renewal-info.ts'
import { challengeRenewal, renewCertificate, type CertifiedClient } from '../services/renewal.ts'
import { pem } from '../services/view.ts'
import { callerOf, pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { decodeHsmKey, decodeSubjectKey } from './host-endpoints.ts'
import * as schema from './schema.ts'

const scope = 'credentials:issue'

/** Renewals: asked for by whoever has the certificate, with a fresh proof of its hardware. */
export const renewalEndpoints: readonly Endpoint[] = [
  challengeEndpoint('agent'),
  challengeEndpoint('host'),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/hosts/:id/credentials',
      scope,
      summary: 'Renews the calling host’s own certificate for the key proven at its enrolment.',
      request: schema.credentialRequest.omit({ evidence: true }),
      status: 201,
    },
    async ctx => {
      ctx.status = 201
      ctx.body = await renewOwn(ctx, 'host')
    },
  ),
  {
    method: 'GET',
    path: '/v1/renewal-info/:certificateId',
    summary:
      'When to renew a certificate (RFC 9773): keyIdentifier and serial number in base64url, with a dot between.',
    steps: [
      async ctx => {
        const id = ctx.params['certificateId'] ?? ''
        const { window, retryAfterSeconds } = await findRenewalInfo(ctx.service, id)
        const [start, end] = [window.start, window.end].map(at => new Date(at).toISOString())
        ctx.set('Retry-After', String(retryAfterSeconds))
        ctx.set('Cache-Control', 'no-store')
        ctx.body = { suggestedWindow: { start, end }, reason: window.reason }
      },
    ],
  },
]

function challengeEndpoint(kind: CertifiedClient['kind']): Endpoint {
  return protectedEndpoint(
    {
      method: 'POST',
      path: `/v1/${kind}s/:id/renewal-challenge`,
      scope,
      summary: `A fresh challenge to renew the certificate of the calling ${kind} with.`,
      status: 201,
    },
    async ctx => {
      ctx.status = 201
      ctx.body = challengeView(await challengeRenewal(ctx.service, requireOwn(ctx, kind)))
    },
  )
}

/** Renews the caller's own certificate; the body is a credential request. */
export async function renewOwn(
  ctx: RequestContext,
  kind: CertifiedClient['kind'],
): Promise<Record<string, unknown>> {
  const client = requireOwn(ctx, kind)
  const { csr, renewal } = ctx.state.body as schema.CredentialRequestBody
  if (renewal === undefined) throw new ServiceError('renewal-unproven')
  const evidence = decodeKeyEvidence(decodeBase64url(csr), renewal)
  const request = { evidence, replaces: renewal.replaces }
  const { sourceAddress } = callerOf(ctx)
  return certificateView(await renewCertificate(ctx.service, client, request, sourceAddress))
}

/** The caller, where the path names it itself. */
function requireOwn(ctx: RequestContext, kind: CertifiedClient['kind']): CertifiedClient {
  const { client } = callerOf(ctx)
  if (client.kind === 'operator' || client.kind !== kind || clientId(client) !== pathId(ctx)) {
    throw new ServiceError('caller-not-permitted', {
      expected: client.kind === 'operator' ? 'a host or agent' : clientId(client),
      found: pathId(ctx),
    })
  }
  return client
}

/** A proof of a key from its JSON form. */
export function decodeKeyEvidence(csr: Uint8Array, evidence: schema.KeyEvidenceBody): KeyEvidence {
  const { challenge } = evidence
  return 'hsm' in evidence
    ? { hardware: 'hsm', challenge, ...decodeHsmKey(csr, evidence.hsm) }
    : { hardware: 'tpm', challenge, csr, subjectKey: decodeSubjectKey(evidence.subjectKey) }
}

/** A certificate as the API gives it. */
export function certificateView(certificate: IssuedCertificate): Record<string, unknown> {
  const { serial, notAfter, chain } = certificate
  return { serial, notAfter, certificateChain: chain.map(pem) }
}

/** A challenge as the API gives it. */
export function challengeView(challenge: KeyChallenge): Record<string, unknown> {
  return { ...challenge, nonce: encodeBase64url(challenge.nonce) }
}
