import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  EmbeddedJWK,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose'
import type { ServiceClient } from '../../src/attester/service-client.ts'
import { CodedError } from '../../src/core/coded-error.ts'
import { TokenError } from '../../src/core/token/error.ts'
import { createApiCertificate } from './api-certificate.ts'

/** A small API that lets in whoever holds a token for it and proves the token's key. */
export interface ProtectedApi {
  /** Its name, which is also the audience of tokens for it. */
  readonly url: string
  /** PEM of the authority that its callers trust. */
  readonly authority: string
  stop(): Promise<void>
}

/**
 * Starts the API. It knows of Assay what any relying party does: the issuer's name and keys, and a client of its own
 * with which it asks whether a token is still good.
 */
export async function startProtectedApi(assay: ServiceClient): Promise<ProtectedApi> {
  const keys = createLocalJWKSet((await assay.request('GET', '/oauth/jwks')) as JSONWebKeySet)
  const { authority, certificate, key } = createApiCertificate(Date.now())
  const seen = new Set<string>()
  const server = createServer(
    { cert: certificate, key, minVersion: 'TLSv1.3' },
    (request, response) => {
      void answer(request, response, { assay, keys, seen, url: url() })
    },
  )
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  const url = (): string => `https://localhost:${(server.address() as AddressInfo).port}`
  return {
    url: url(),
    authority,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

interface Parts {
  readonly assay: ServiceClient
  readonly keys: ReturnType<typeof createLocalJWKSet>
  /** Proofs that were used. */
  readonly seen: Set<string>
  readonly url: string
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: Parts,
): Promise<void> {
  try {
    const { sub } = await admit(request, parts)
    send(response, 200, { orders: 3, for: sub })
  } catch (error) {
    const code = error instanceof CodedError ? error.code : 'token-malformed'
    const title = error instanceof Error ? error.message : 'refused'
    send(response, 401, { code, title })
  }
}

/** Token, proof, binding, and whether the token is still good: in that order. */
async function admit(request: IncomingMessage, parts: Parts): Promise<JWTPayload> {
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ')
  if (scheme !== 'DPoP') throw new TokenError('token-malformed')
  const { assay, keys, url } = parts
  const { payload } = await jwtVerify(token, keys, {
    issuer: assay.issuer,
    audience: url,
    typ: 'at+jwt',
    algorithms: ['ES256'],
  })
  const { jkt } = payload['cnf'] as { jkt: string }
  const thumbprint = await verifyProof(request, token, parts)
  if (thumbprint !== jkt) throw new TokenError('dpop-key', { expected: jkt, found: thumbprint })
  const standing = await assay.callForm('/oauth/introspect', new URLSearchParams({ token }))
  if (!(standing as { active: boolean }).active) throw new TokenError('token-inactive')
  return payload
}

/** RFC 9449 §4.3 with nothing but jose; gives the thumbprint of the key that signed. */
async function verifyProof(request: IncomingMessage, token: string, parts: Parts): Promise<string> {
  const proof = request.headers['dpop']
  if (typeof proof !== 'string') throw new TokenError('dpop-missing')
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: ['ES256', 'ES384'],
    maxTokenAge: '2m',
  })
  const ath = createHash('sha256').update(token).digest('base64url')
  if (payload['htm'] !== request.method) throw new TokenError('dpop-method')
  if (payload['htu'] !== `${parts.url}${request.url}`) throw new TokenError('dpop-url')
  if (payload['ath'] !== ath) throw new TokenError('dpop-token-hash')
  if (payload.jti === undefined || parts.seen.has(payload.jti))
    throw new TokenError('dpop-replayed')
  parts.seen.add(payload.jti)
  if (protectedHeader.jwk === undefined) throw new TokenError('dpop-malformed')
  return await calculateJwkThumbprint(protectedHeader.jwk)
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}
