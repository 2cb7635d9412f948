import { AuthorizationError } from './error.ts'

/** Brackets within each other, and operators of one policy: far below where Cedar's parser runs out of stack. */
const deepest = 50
const mostOperators = 1_000
/** What one `if` counts: each may stand in the branch of another without a bracket. */
const ifWeight = 10

/** Of one policy: its formatter recurses along what is flat, too. */
const mostPieces = 2_500

/**
 * A comment, a string with its escapes, a word, or any other single character but white space. As Cedar reads them: a
 * carriage return ends a comment, so what stands behind it counts.
 */
const piece = /\/\/[^\n\r]*|"(?:[^"\\]|\\[^])*"?|\w+|\S/g
/** A comment on the line of what it stands behind. */
const restOfLine = /[ \t]*\/\/[^\n\r]*/y
const operators = new Set('&|.!-+*<>=')

/**
 * The text of each policy with the comments before it and behind it on its line, unread. Refuses what could take the engine
 * down with it: its parser recurses, and an engine that ran out of stack decides nothing any more, for anybody. So this comes
 * before the engine sees a text that somebody wrote.
 *
 * @throws AuthorizationError `authorization-size`
 */
export function splitFlat(text: string): string[] {
  const ends: number[] = []
  let [depth, count, pieces] = [0, 0, 0]
  for (const { 0: part, index } of text.matchAll(piece)) {
    pieces += 1
    if ('([{'.includes(part)) depth += 1
    // What closes nothing opens no room for more.
    else if (')]}'.includes(part)) depth = Math.max(0, depth - 1)
    else if (operators.has(part)) count += 1
    else if (part === 'if') count += ifWeight
    else if (part === ';' && depth === 0) {
      ends.push(index + 1 + lengthOfComment(text, index + 1))
      count = pieces = 0
    }
    requireAtMost(depth, deepest, 'open brackets')
    requireAtMost(count, mostOperators, 'operators in one policy')
    requireAtMost(pieces, mostPieces, 'words and signs in one policy')
  }
  return partsOf(text, ends)
}

function lengthOfComment(text: string, from: number): number {
  restOfLine.lastIndex = from
  return restOfLine.exec(text)?.[0].length ?? 0
}

function partsOf(text: string, ends: readonly number[]): string[] {
  const parts = [...ends, text.length].map((end, n) => text.slice(ends[n - 1] ?? 0, end))
  return parts.filter(part => part.trim() !== '')
}

function requireAtMost(found: number, most: number, what: string): void {
  if (found > most)
    throw new AuthorizationError('authorization-size', { expected: `at most ${most} ${what}` })
}
