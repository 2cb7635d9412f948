import { ServiceError } from '../services/error.ts'
import { earMediaType } from '../core/appraisal/ear.ts'
import {
  currentAttestation,
  findAttestation,
  listAllAttestations,
  listAttestations,
} from '../services/attestations.ts'
import { attestationView } from '../services/view.ts'
import { pathId, type RequestContext } from './context.ts'
import { protectedEndpoint, type Endpoint } from './endpoint.ts'

/** Verdicts: as JSON for reading, as signed EAR for whom they are to convince. */
export const attestationEndpoints: readonly Endpoint[] = [
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/hosts/:id/attestation-result',
      scope: 'hosts:read',
      summary: `The verdict that a host stands on; with Accept: ${earMediaType} as a signed EAR.`,
    },
    async ctx => answerVerdict(ctx, await currentAttestation(ctx.service, pathId(ctx))),
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/hosts/:id/attestations',
      scope: 'hosts:read',
      summary: 'What is kept of a host’s attestations, newest first.',
    },
    async ctx => {
      ctx.body = { attestations: await listAttestations(ctx.service, pathId(ctx)) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/attestations',
      scope: 'hosts:read',
      summary: 'What is kept of all attestations, newest first, the refused ones among them.',
    },
    async ctx => {
      ctx.body = { attestations: await listAllAttestations(ctx.service) }
    },
  ),
  protectedEndpoint(
    {
      method: 'GET',
      path: '/v1/attestations/:id',
      scope: 'hosts:read',
      summary: `The verdict of one attestation; with Accept: ${earMediaType} as a signed EAR.`,
    },
    async ctx => answerVerdict(ctx, await findAttestation(ctx.service, pathId(ctx))),
  ),
]

/** The EAR where it is asked for by name, JSON to everybody else (RFC 9110 §12.5.1). */
function answerVerdict(
  ctx: RequestContext,
  record: Awaited<ReturnType<typeof findAttestation>>,
): void {
  ctx.vary('Accept')
  if (ctx.accepts('application/json', earMediaType) !== earMediaType) {
    ctx.body = attestationView(record)
    return
  }
  if (record.ear === '') throw new ServiceError('attestation-unsigned', { found: record.id })
  ctx.type = earMediaType
  ctx.body = record.ear
}
