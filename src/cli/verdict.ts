import { Answer } from '../attester/answer.ts'
import { printable } from '../attester/remote-error.ts'
import type { Verdict } from '../core/appraisal/verdict.ts'

const statuses = ['affirming', 'none', 'warning', 'contraindicated']

/**
 * The verdict of an answer, as far as it is explained to a person.
 *
 * @throws AttesterError `answer-malformed`
 */
export function parseVerdict(value: unknown): Verdict {
  const answer = new Answer(value, 'verdict')
  const policy = answer.within('policy')
  const isKnown = (text: string): boolean => statuses.includes(text)
  for (const name of ['status', 'rule', 'evidenceSha256', 'issuedAt', 'expiresAt'])
    answer.text(name)
  policy.text('id')
  policy.number('version')
  answer.list('checks', (check, place) => new Answer(check, place).text('code'))
  answer.list('rules', (line, place) => new Answer(line, place).text('rule'))
  if (answer.raw('boot') !== undefined) requireBoot(answer.within('boot'))
  if (answer.raw('ima') !== undefined) requireIma(answer.within('ima'))
  const shown = withoutControls(value) as Verdict
  const outcomes = [shown.status, ...shown.rules.map(({ outcome }) => outcome)]
  if (!outcomes.every(isKnown)) answer.within('status')
  return shown
}

function requireBoot(boot: Answer): void {
  for (const name of ['authorities', 'images', 'files', 'sections'])
    requireExcerpt(boot, name, (item, place) => new Answer(item, place))
  requireExcerpt(boot, 'commandLines', String)
  boot.list('databases', (database, place) => new Answer(database, place).number('entries'))
  for (const name of ['provenPcrs', 'unexplainedPcrs', 'quirks']) boot.list(name, String)
}

function requireExcerpt(
  boot: Answer,
  name: string,
  read: (item: unknown, place: string) => unknown,
): void {
  const excerpt = boot.within(name)
  excerpt.list('first', read)
  excerpt.number('total')
}

function requireIma(ima: Answer): void {
  for (const name of ['proven', 'unproven', 'refused', 'violations']) ima.number(name)
}

/** What evidence contains may be chosen by whoever made it, and ends up on a terminal. */
function withoutControls(value: unknown): unknown {
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) return value.map(withoutControls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withoutControls(each)]),
  )
}
