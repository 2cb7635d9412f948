import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'

type Json = Record<string, unknown>

/** The OpenAPI document of a list of endpoints, made from the very schemas that read their requests. */
export function openApiDocument(endpoints: readonly Endpoint[], issuer: string): Json {
  const paths: Record<string, Json> = {}
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
      securitySchemes,
      schemas: { Problem: problemSchema, OAuthError: oauthErrorSchema },
    },
  }
}

const securitySchemes = {
  dpop: {
    type: 'http',
    scheme: 'DPoP',
    description:
      'An access token of this issuer and, in the header DPoP, a proof by its key (RFC 9449).',
  },
  mutualTLS: {
    type: 'mutualTLS',
    description: 'An access token and the certificate that it is bound to (RFC 8705).',
  },
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
    code: { type: 'string', description: 'Stable' },
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

const oauthErrorSchema = {
  type: 'object',
  description: 'RFC 6749 §5.2 error, our own code and hint beside it',
  required: ['error'],
  properties: {
    error: { type: 'string' },
    error_description: { type: 'string' },
    code: { type: 'string', description: 'Stable, and finer than error' },
    hint: { type: 'string' },
    decision: { type: 'string', description: 'How a denial is found in the log' },
    grant_request: { type: 'string', description: 'The request by which an operator can lift it' },
  },
}

function operation(endpoint: Endpoint): Json {
  const parameters = parametersOf(endpoint.path)
  return {
    summary: endpoint.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.scope === undefined
      ? {}
      : { security: [{ dpop: [endpoint.scope] }, { mutualTLS: [endpoint.scope] }] }),
    ...requestBody(endpoint),
    responses: { ...success(endpoint), ...refusals(endpoint) },
  }
}

function parametersOf(path: string): Json[] {
  return [...path.matchAll(/[:*](\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function requestBody({ request, form }: Endpoint): Json {
  const [type, schema] =
    form === undefined ? ['application/json', request] : ['application/x-www-form-urlencoded', form]
  if (schema === undefined) return {}
  const content = { [type]: { schema: z.toJSONSchema(schema, { io: 'input' }) } }
  return { requestBody: { required: true, content } }
}

function success({ status = 200, produces = 'application/json' }: Endpoint): Json {
  return { [status]: { description: 'Done.', content: { [produces]: {} } } }
}

/** Statuses of refusal, each with the endpoints that it can come from. */
const refusalTable: readonly (readonly [number, string, (endpoint: Endpoint) => boolean])[] = [
  [400, 'The request does not have the form that this call takes.', hasBody],
  [401, 'Token, proof or certificate is missing or not good.', row => isAuthenticated(row)],
  [403, 'Understood, and not allowed.', row => row.scope !== undefined || hasJson(row)],
  [404, 'There is no such thing.', row => /[:*]/.test(row.path)],
  [409, 'It exists, counts once and was used, or is not in the state for this.', isAct],
  [410, 'Its time is over.', row => hasJson(row) && /[:*]/.test(row.path)],
  [413, 'The body is larger than this call reads.', hasBody],
  [415, 'The body is of another type than this call reads.', hasBody],
  [429, 'Too many from this address; Retry-After says how long to wait.', row => !!row.isLimited],
  [503, 'Nothing can be made durable now; try again.', () => true],
]

function hasBody({ request, form }: Endpoint): boolean {
  return request !== undefined || form !== undefined
}

function hasJson({ request }: Endpoint): boolean {
  return request !== undefined
}

/** Something is done here, and not in OAuth's words or OCSP's, which have statuses of their own. */
function isAct({ method, path }: Endpoint): boolean {
  return method === 'POST' && path.startsWith('/v1/')
}

function isAuthenticated({ scope, form }: Endpoint): boolean {
  return scope !== undefined || form !== undefined
}

function refusals(endpoint: Endpoint): Json {
  const content =
    endpoint.form === undefined
      ? { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      : { 'application/json': { schema: { $ref: '#/components/schemas/OAuthError' } } }
  const rows = refusalTable.filter(([, , applies]) => applies(endpoint))
  return {
    ...Object.fromEntries(
      rows.map(([status, description]) => [status, { description, content }] as const),
    ),
    default: { description: 'Refused, or failed.', content },
  }
}
