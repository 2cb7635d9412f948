/** A structural character, a string, or a literal of JSON (RFC 8259 §2). */
const token = /"(?:[^"\\]|\\.)*"|[{}[\],]|[^\s"{}[\],]+/g

/**
 * Reads JSON in which no object names a member twice: of two, readers choose differently.
 *
 * @throws SyntaxError for what is no JSON, and for a member that comes twice
 * @see RFC 8259 §4, RFC 7517 §4
 */
export function parseUniqueJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  // Of each object that is open the names so far; of an array none.
  const open: (Set<string> | undefined)[] = []
  let isName = false
  for (const [part] of text.matchAll(token)) {
    const names = open.at(-1)
    if (part === '{' || part === '[') open.push(part === '{' ? new Set() : undefined)
    else if (part === '}' || part === ']') open.pop()
    else if (isName && names !== undefined && part !== ',') addName(names, part)
    isName = part === '{' || (part === ',' && names !== undefined)
  }
  return value
}

function addName(names: Set<string>, quoted: string): void {
  const name = JSON.parse(quoted) as string
  if (names.has(name)) throw new SyntaxError('a member comes twice')
  names.add(name)
}
