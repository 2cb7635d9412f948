import { authorizationActivationType } from '../../src/core/appraisal/policy-activation.ts'
import { compactJws, type TestKey } from './compact-jws.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { call, type TestCaller } from './test-caller.ts'
import { testIssuer } from './test-service.ts'

const path = '/v1/authorization/policies'

/** Proposes a set of Cedar policies. */
export async function proposeSet(
  api: TestApi,
  operator: TestCaller,
  policies: string,
): Promise<{ readonly version: number; readonly id: string }> {
  const answer = await call(api, operator, 'POST', path, { policies })
  if (answer.status !== 201) throw new Error(`not proposed: ${answer.text}`)
  return answer.json as { version: number; id: string }
}

/** Sends an activation of a set, signed by the operator itself or by somebody else. */
export async function activateSet(
  api: TestApi,
  operator: TestCaller,
  claims: { readonly policy: string; readonly version: number; readonly replaces: number },
  changes: { readonly by?: TestKey; readonly typ?: string } = {},
): Promise<TestAnswer> {
  const { by = operator.key, typ = authorizationActivationType } = changes
  const iat = Math.floor(api.clock.now() / 1000)
  const jws = compactJws({ alg: 'ES256', typ }, { aud: testIssuer, iat, ...claims }, by)
  return await call(api, operator, 'POST', `${path}/${claims.version}/activate`, { jws })
}

/** Proposes a set and puts it into force. */
export async function establishSet(
  api: TestApi,
  operator: TestCaller,
  policies: string,
): Promise<{ readonly version: number; readonly id: string }> {
  const before = await call(api, operator, 'GET', path)
  const { version, id } = await proposeSet(api, operator, policies)
  const replaces = Number(before.json['active'])
  const answer = await activateSet(api, operator, { policy: id, version, replaces })
  if (answer.status !== 200) throw new Error(`not activated: ${answer.text}`)
  return { version, id }
}
