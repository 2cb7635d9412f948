import type { ExecutionContext } from 'ava'
import type { TestAnswer } from './test-api.ts'

/** That a request was refused with a problem of this code (RFC 9457 §3). */
export function assertProblem(
  t: ExecutionContext,
  answer: TestAnswer,
  status: number,
  code: string,
): void {
  t.is(answer.json['code'], code, answer.text)
  t.is(answer.status, status)
  t.is(answer.type, 'application/problem+json')
  t.is(answer.json['type'], `urn:assay:error:${code}`)
  t.is(answer.json['status'], status)
  t.regex(String(answer.json['instance']), /^urn:assay:request:/)
  t.is(answer.headers['cache-control'], 'no-store')
}
