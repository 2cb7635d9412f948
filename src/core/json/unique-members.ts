/** How deep headers and claims may nest; real ones have four levels. */
const maxDepth = 16

/**
 * Reads JSON in which no member of an object occurs twice, at any depth: two readers of one text must not be able to
 * see different values.
 *
 * @throws SyntaxError for what is no JSON, nests deeper than 16 levels or names a member twice
 * @see RFC 8259 §4, RFC 7515 §4, RFC 7519 §4, RFC 8725 §2.4
 */
export function parseUniqueJson(text: string): unknown {
  const members = countMembers(text, maxDepth)
  if (members === undefined) throw new SyntaxError(`more than ${maxDepth} levels`)
  const value: unknown = JSON.parse(text)
  if (keptMembers(value) !== members) throw new SyntaxError('a member comes twice')
  return value
}

/** True when a member of some object in the text occurs twice, so that of the parsed value one is missing. */
export function hasRepeatedMember(text: string, value: unknown): boolean {
  return keptMembers(value) !== countMembers(text, Infinity)
}

/** Colons outside strings: one for each member as it was written. Undefined when it nests deeper than `limit`. */
function countMembers(text: string, limit: number): number | undefined {
  let [members, depth] = [0, 0]
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index)
    if (character === 0x22) index = endOfString(text, index)
    else if (character === 0x3a) members += 1
    else if (character === 0x7b || character === 0x5b) depth += 1
    else if (character === 0x7d || character === 0x5d) depth -= 1
    if (depth > limit) return undefined
  }
  return members
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(index - 1 - backslashes) === 0x5c) backslashes += 1
  return backslashes % 2 === 1
}

/** Members of all objects in a parsed value. */
function keptMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const parts: unknown[] = Object.values(value)
  const own = Array.isArray(value) ? 0 : parts.length
  return parts.reduce((sum: number, part) => sum + keptMembers(part), own)
}
