import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'

/** The OpenAPI document of a list of endpoints, made from the very schemas that read their requests. */
export function openApiDocument(
  endpoints: readonly Endpoint[],
  issuer: string,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/[:*](\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Assay',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: issuer }],
    paths,
    components: {
      securitySchemes: {
        dpop: {
          type: 'http',
          scheme: 'DPoP',
          description:
            'An access token of this issuer and, in the header DPoP, a proof by its key (RFC 9449).',
        },
        mutualTLS: {
          type: 'mutualTLS',
          description: 'An access token and the certificate it is bound to (RFC 8705).',
        },
      },
      schemas: { Problem: problemSchema },
    },
  }
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem document',
  required: ['type', 'title', 'status', 'code', 'hint'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', description: 'Stable; see README' },
    expected: { type: 'string' },
    found: { type: 'string' },
    hint: { type: 'string' },
    source: { type: 'string' },
    checks: {
      type: 'array',
      items: { type: 'object' },
      description: 'The checks that ran; the last one failed',
    },
  },
}

function operation(endpoint: Endpoint): Record<string, unknown> {
  const parameters = [...endpoint.path.matchAll(/[:*](\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return {
    summary: endpoint.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.scope === undefined
      ? {}
      : { security: [{ dpop: [endpoint.scope] }, { mutualTLS: [endpoint.scope] }] }),
    ...(endpoint.request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: z.toJSONSchema(endpoint.request, { io: 'input' }) },
            },
          },
        }),
    responses: {
      '2XX': { description: 'Done.', content: { [endpoint.produces ?? 'application/json']: {} } },
      default: {
        description: 'Refused.',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  }
}
