import { createHash, randomBytes } from 'node:crypto'
import { encodeHeader, signJws } from '../../src/core/jose/jws.ts'
import { tokenAlgorithm } from '../../src/core/token/access-token.ts'
import { audience, issuer, scope, type BenchAgent } from './population.ts'

/** What a bench asks of the service. */
export type RequestKind = 'token' | 'tokenTwoSignatures' | 'certificate'

const tokenPath = '/oauth/token'
const es256 = tokenAlgorithm('ES256')

/** A compact DPoP proof (RFC 9449 §4.2). */
export function createProof(agent: BenchAgent, path: string, more: object): string {
  const header = encodeHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: agent.key.jwk })
  const claims = { jti: createJti(), htm: 'POST', htu: issuer + path, iat: seconds(), ...more }
  return signJws(header, claims, agent.key.privateKey, es256)
}

/** A `private_key_jwt` assertion (RFC 7523 §2.2). */
export function createAssertion(agent: BenchAgent): string {
  const { spiffeId: sub } = agent
  const claims = { iss: sub, sub, aud: issuer, jti: createJti(), exp: seconds() + 120 }
  return signJws(encodeHeader({ alg: 'ES256', typ: 'JWT' }), claims, agent.key.privateKey, es256)
}

/** A token request, authenticated by its DPoP proof; with an assertion as well when `assertion` is given. */
export function tokenRequest(
  agent: BenchAgent,
  nonce: string,
  options: {
    readonly resource?: string
    readonly scope?: string
    readonly assertion?: string
  } = {},
): string {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: options.resource ?? audience,
    scope: options.scope ?? scope,
  })
  if (options.assertion !== undefined) {
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', options.assertion)
  }
  const dpop = `DPoP: ${createProof(agent, tokenPath, { nonce })}`
  return httpRequest(tokenPath, 'application/x-www-form-urlencoded', [dpop], form.toString())
}

/** A challenge for the renewal of an agent's certificate, with a token of its own. */
export function challengeRequest(agent: BenchAgent, accessToken: string): string {
  return ownRequest(agent, accessToken, `/v1/agents/${agent.id}/renewal-challenge`, '')
}

/** The renewal itself. */
export function certificateRequest(agent: BenchAgent, accessToken: string, body: string): string {
  return ownRequest(agent, accessToken, `/v1/agents/${agent.id}/credentials`, body)
}

function ownRequest(agent: BenchAgent, accessToken: string, path: string, body: string): string {
  const ath = createHash('sha256').update(accessToken).digest('base64url')
  const headers = [
    `Authorization: DPoP ${accessToken}`,
    `DPoP: ${createProof(agent, path, { ath })}`,
  ]
  return httpRequest(path, 'application/json', headers, body)
}

function httpRequest(path: string, type: string, headers: readonly string[], body: string): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(issuer).host}`,
    ...headers,
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

function createJti(): string {
  return randomBytes(16).toString('base64url')
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
