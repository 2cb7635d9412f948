import { createHash, randomUUID } from 'node:crypto'
import { jwtBearer } from '../../src/core/token/client-assertion.ts'
import { registerOperator } from '../../src/services/operators.ts'
import type { OperatorRole } from '../../src/ports/records.ts'
import { compactJws, createTestKey, type TestKey } from './compact-jws.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { testIssuer, testTrustDomain } from './test-service.ts'

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** What a proof says, where it differs from an honest one. */
export interface ProofChanges {
  readonly header?: object
  readonly payload?: object
  /** Who signs. */
  readonly by?: TestKey
}

/** A request of a test that needs a proof. */
export interface Proven {
  readonly method: string
  readonly path: string
  readonly token?: string
}

/** A DPoP proof by the key, made at the service's time. */
export async function proofOf(
  api: TestApi,
  key: TestKey,
  { method, path, token }: Proven,
  changes: ProofChanges = {},
): Promise<string> {
  const ath =
    token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
  const nonce = token === undefined ? { nonce: await nonceOf(api) } : {}
  const alg = key.jwk.crv === 'P-256' ? 'ES256' : 'ES384'
  return compactJws(
    { typ: 'dpop+jwt', alg, jwk: key.jwk, ...changes.header },
    {
      jti: randomUUID(),
      htm: method,
      htu: `${testIssuer}${path}`,
      iat: Math.floor(api.clock.now() / 1000),
      ...nonce,
      ...ath,
      ...changes.payload,
    },
    changes.by ?? key,
  )
}

/** The nonce that the token endpoint hands out at this moment. */
export async function nonceOf(api: TestApi): Promise<string> {
  const answer = await postForm(api, '/oauth/token', {})
  return String(answer.headers['dpop-nonce'])
}

/** A client assertion of the client by the key, as RFC 7523 describes it. */
export function assertionOf(
  api: TestApi,
  key: TestKey,
  clientId: string,
  changes: object = {},
): Record<string, string> {
  const exp = Math.floor(api.clock.now() / 1000) + 60
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: testIssuer,
    jti: randomUUID(),
    exp,
    ...changes,
  }
  const alg = key.jwk.crv === 'P-256' ? 'ES256' : 'ES384'
  return {
    client_assertion_type: jwtBearer,
    client_assertion: compactJws({ alg }, claims, key),
  }
}

/** Posts a form; values are sent as they are given. */
export async function postForm(
  api: TestApi,
  path: string,
  form: Readonly<Record<string, string>> | string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<TestAnswer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const type = ['Content-Type', 'application/x-www-form-urlencoded'] as const
  return await api.send({ method: 'POST', path, headers: [type, ...headers], body })
}

/** Asks for a token by a proof of the key. */
export async function askForToken(
  api: TestApi,
  key: TestKey,
  form: Readonly<Record<string, string>> = {},
  changes: ProofChanges = {},
): Promise<TestAnswer> {
  const proof = await proofOf(api, key, { method: 'POST', path: '/oauth/token' }, changes)
  const whole = { grant_type: 'client_credentials', ...form }
  return await postForm(api, '/oauth/token', whole, [['DPoP', proof]])
}

/** A token for the service's own API, or whatever the form asks for. */
export async function fetchToken(
  api: TestApi,
  key: TestKey,
  form: Readonly<Record<string, string>> = { resource: testIssuer },
): Promise<string> {
  const answer = await askForToken(api, key, form)
  if (answer.status !== 200) throw new Error(`no token: ${answer.text}`)
  return String(answer.json['access_token'])
}

/** Asks for a token in exchange for another, by a proof of the key (RFC 8693 §2.1). */
export async function exchangeToken(
  api: TestApi,
  key: TestKey,
  subject: string,
  form: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return await askForToken(api, key, {
    grant_type: exchangeGrant,
    subject_token: subject,
    subject_token_type: accessTokenType,
    ...form,
  })
}

/** Somebody with a key and a token of the service's own API. */
export interface TestCaller {
  readonly key: TestKey
  readonly token: string
  readonly clientId: string
}

/** Registers an operator, and fetches its token. */
export async function createOperator(
  api: TestApi,
  role: OperatorRole = 'administrator',
  audiences: readonly string[] = [testIssuer],
): Promise<TestCaller & { readonly id: string }> {
  const key = createTestKey()
  const name = `${role}-${key.jkt.slice(0, 8)}`.replaceAll('_', '-')
  const operator = { name, role, keyProtection: 'file', jwk: key.jwk, audiences } as const
  const { id } = await registerOperator(api.service, 'service', operator)
  const clientId = `spiffe://${testTrustDomain}/operator/${id}`
  return { key, id, clientId, token: await fetchToken(api, key) }
}

/** Calls the service's API with token and proof; a body is sent as JSON. */
export async function call(
  api: TestApi,
  caller: Pick<TestCaller, 'key' | 'token'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<TestAnswer> {
  const proof = await proofOf(api, caller.key, { method, path, token: caller.token })
  return await api.send({
    method,
    path,
    headers: [
      ['Authorization', `DPoP ${caller.token}`],
      ['DPoP', proof],
      ...(body === undefined ? [] : [['Content-Type', 'application/json'] as const]),
    ],
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
