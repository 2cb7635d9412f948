import type { TestAnswer } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'

/** What is asked for. */
export const grant = { grant_type: 'client_credentials' }

/** What proofs are for. */
export const tokenCall = { method: 'POST', path: '/oauth/token' } as const

/** OAuth's form, uncached, with a nonce for the next proof (RFC 6749 §5.2, RFC 9449 §8.2). */
export function assertRefusal(
  t: { is(a: unknown, b: unknown, m?: string): void; regex(a: string, b: RegExp): void },
  answer: TestAnswer,
  status: number,
  error: string,
  code?: string,
): void {
  t.is(answer.json['error'], error, answer.text)
  t.is(answer.status, status)
  t.is(answer.json['code'], code)
  t.is(answer.type, 'application/json')
  t.is(answer.headers['cache-control'], 'no-store')
  t.regex(String(answer.headers['dpop-nonce']), /^[\w-]{22}$/)
  if (status === 401) t.regex(String(answer.headers['www-authenticate']), /^DPoP error="/)
}

/** A class for the agents. */
export async function registerReader(
  api: Parameters<typeof call>[0],
  operator: Parameters<typeof call>[1],
  changes: object = {},
): Promise<void> {
  const reader = {
    name: 'reader',
    audiences: ['https://api.example/', 'https://other.example/'],
    scopes: ['read', 'write'],
    hosts: ['*'],
    tokenLifetimeSeconds: 120,
  }
  const answer = await call(api, operator, 'POST', '/v1/classes', { ...reader, ...changes })
  if (answer.status !== 201) throw new Error(answer.text)
}
