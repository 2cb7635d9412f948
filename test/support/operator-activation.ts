import { activationType } from '../../src/core/appraisal/policy-activation.ts'
import { compactJws, type TestKey } from './compact-jws.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { call, type TestCaller } from './test-caller.ts'
import { testIssuer } from './test-service.ts'

/** A policy as an operator writes it, for emulated hosts. */
export const writtenPolicy = {
  name: 'production',
  assurance: ['emulated'],
  pcrs: { sha256: [0, 4, 7] },
  validitySeconds: 3600,
  rules: [{ kind: 'endorsement', accept: ['certificate'] }],
} as const

/** The JWS by which an operator puts a version into force. */
export function activationOf(
  api: TestApi,
  claims: { readonly policy: string; readonly version: number; readonly replaces: number },
  by: TestKey,
): string {
  const iat = Math.floor(api.clock.now() / 1000)
  return compactJws({ alg: 'ES256', typ: activationType }, { aud: testIssuer, iat, ...claims }, by)
}

/** Proposes a policy and puts it into force. */
export async function establishPolicy(
  api: TestApi,
  operator: TestCaller,
  policy: object,
): Promise<{ readonly version: number; readonly id: string }> {
  const before = await call(api, operator, 'GET', '/v1/policies')
  const proposed = await call(api, operator, 'POST', '/v1/policies', policy)
  if (proposed.status !== 201) throw new Error(`not proposed: ${proposed.text}`)
  const { version, id } = proposed.json as { version: number; id: string }
  const replaces = Number(before.json['active'])
  const answer = await activate(api, operator, { policy: id, version, replaces })
  if (answer.status !== 200) throw new Error(`not activated: ${answer.text}`)
  return { version, id }
}

/** Sends an activation, signed by the operator itself or by somebody else. */
export async function activate(
  api: TestApi,
  operator: TestCaller,
  claims: Parameters<typeof activationOf>[1],
  by: TestKey = operator.key,
): Promise<TestAnswer> {
  const path = `/v1/policies/${claims.version}/activate`
  return await call(api, operator, 'POST', path, { jws: activationOf(api, claims, by) })
}
