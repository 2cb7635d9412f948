import type { ExecutionContext } from 'ava'
import type { TestAnswer, TestApi } from '../support/test-api.ts'

/** Whatever is asked: an answer of ours, in a form that callers know, and never a failure. */
export function assertSane(
  t: ExecutionContext,
  api: TestApi,
  answer: TestAnswer,
  what: unknown,
): void {
  const shown = JSON.stringify(what).slice(0, 500)
  if (answer.status >= 500 && answer.json['code'] !== 'endorsement-queue-full')
    t.fail(`${answer.status} for ${shown}: ${answer.text}; ${JSON.stringify(api.reports.at(-1))}`)
  if (answer.status >= 400 && answer.text !== '')
    t.true('code' in answer.json || 'error' in answer.json, `${shown}: ${answer.text}`)
}
