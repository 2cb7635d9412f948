import { AuthorizationError } from './error.ts'

/** Brackets within each other, and operators of one policy: far below where Cedar's parser runs out of stack. */
const deepest = 50
const mostOperators = 1_000
/** What one `if` counts: each may stand in the branch of another without a bracket. */
const ifWeight = 10

/** A comment, a string with its escapes, a word, or any other single character. */
const piece = /\/\/[^\n]*|"(?:[^"\\]|\\[^])*"?|\w+|[^]/g
const operators = new Set('&|.!-+*<>=')

/**
 * Refuses a text that could take the engine down with it: its parser recurses, and an engine that ran out of stack decides
 * nothing any more, for anybody. So this comes before the engine sees a text that somebody wrote.
 *
 * @throws AuthorizationError `authorization-size`
 */
export function requireFlat(text: string): void {
  let [depth, count] = [0, 0]
  for (const [part] of text.matchAll(piece)) {
    if ('([{'.includes(part)) depth += 1
    else if (')]}'.includes(part)) depth -= 1
    else if (operators.has(part)) count += 1
    else if (part === 'if') count += ifWeight
    else if (part === ';' && depth <= 0) [depth, count] = [0, 0]
    if (depth > deepest)
      throw new AuthorizationError('authorization-size', { found: `${depth} open brackets` })
    if (count > mostOperators)
      throw new AuthorizationError('authorization-size', {
        found: 'more operators than a policy may have',
      })
  }
}
