import { z } from 'zod'
import { buildAllCertificateLists, listCertificateLists } from '../services/certificate-lists.ts'
import { listCertificates, showCertificate } from '../services/certificates.ts'
import { callerOf, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'
import { HttpError } from './error.ts'
import { answerRevocation } from './revocation-endpoints.ts'
import { revocationRequest } from './revocation-schema.ts'

function serialIn(ctx: RequestContext): string {
  const serial = ctx.params['serial'] ?? ''
  if (!/^[0-9a-f]{2,40}$/.test(serial))
    throw new HttpError('not-found', { expected: 'a serial number in lower-case hex' })
  return serial
}

/** Certificates of hosts and agents, and the lists of those that were taken back. */
export const certificateEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/certificates',
      scope: 'hosts:read',
      summary: 'The newest certificates of hosts and agents with their status, at most a thousand.',
    },
    async ctx => {
      ctx.body = { certificates: await listCertificates(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/certificates/:serial',
      scope: 'hosts:read',
      summary: 'One certificate: for whom, on what it rests, and where its status is told.',
    },
    async ctx => {
      ctx.body = await showCertificate(ctx.service, serialIn(ctx))
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/certificates/:serial/revoke',
      scope: 'revocations:write',
      summary:
        'Revokes one certificate with the tokens that are bound to it; also one of which nobody knows whether it was signed.',
      request: revocationRequest,
    },
    answerRevocation(ctx => ({ kind: 'certificate', serial: serialIn(ctx) })),
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/certificate-lists',
      scope: 'revocations:read',
      summary: 'The revocation lists that this service publishes, with their addresses.',
    },
    async ctx => {
      ctx.body = { certificateLists: await listCertificateLists(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'POST',
      path: '/v1/certificate-lists',
      scope: 'revocations:write',
      summary: 'Makes every revocation list anew, now.',
      request: z.strictObject({}),
      status: 201,
    },
    async ctx => {
      const made = await buildAllCertificateLists(ctx.service, callerOf(ctx).id)
      ctx.status = 201
      ctx.body = { certificateLists: made }
    },
  ),
]
