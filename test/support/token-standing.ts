import { importJwk } from '../../src/core/jose/jwk.ts'
import {
  verifyStatusListToken,
  type StatusReference,
} from '../../src/core/status/status-list-token.ts'
import { tokenAlgorithm } from '../../src/core/token/access-token.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { postForm, proofOf, type TestCaller } from './test-caller.ts'
import { testIssuer } from './test-service.ts'

/** The claims of a token that say which one it is, unverified. */
export function readPlace(token: string): {
  jti: string
  status: { status_list: StatusReference }
} {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as never
}

/** A status list as anybody may fetch it. */
export async function fetchList(
  api: TestApi,
  uri: string,
  headers: [string, string][] = [],
): Promise<TestAnswer> {
  return await api.send({ method: 'GET', path: uri.slice(testIssuer.length), headers })
}

/** What a relying party sees of a token in its status list at this moment. */
export async function statusOf(api: TestApi, token: string): Promise<number> {
  const { idx, uri } = readPlace(token).status.status_list
  const { text } = await fetchList(api, uri)
  const { json } = await api.send({ method: 'GET', path: '/oauth/jwks' })
  const keys = (json['keys'] as { kid: string; alg: string }[]).map(jwk => {
    return { kid: jwk.kid, key: importJwk(jwk as never), algorithm: tokenAlgorithm(jwk.alg) }
  })
  return verifyStatusListToken(text, { uri, keys, now: api.clock.now() }).list.at(idx)
}

/** What introspection tells an asker, by its own token, at this moment. */
export async function introspect(
  api: TestApi,
  asker: Pick<TestCaller, 'key' | 'token'>,
  token: string,
  accept = 'application/json',
): Promise<TestAnswer> {
  const path = '/oauth/introspect'
  const proof = await proofOf(api, asker.key, { method: 'POST', path, token: asker.token })
  return await postForm(api, path, { token }, [
    ['Authorization', `DPoP ${asker.token}`],
    ['DPoP', proof],
    ['Accept', accept],
  ])
}
