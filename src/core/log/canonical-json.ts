import { LogError } from './log-error.ts'

/** Deeper than any entry, shallower than any stack. */
const maxDepth = 16

/**
 * JSON in one form only: members sorted by UTF-16 code units, no white space. RFC 8785 §3.2, restricted to integers
 * that every reader holds exactly.
 *
 * @throws {LogError} `entry-unencodable` for `undefined`, fractions, unsafe integers, lone surrogates, class
 * instances, or nesting beyond 16
 */
export function encodeCanonicalJson(value: unknown): string {
  return encode(value, 0)
}

function encode(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value)
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw unencodable('a number')
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= maxDepth) throw unencodable('nesting too deep')
      return Array.isArray(value) ? encodeArray(value, depth) : encodeObject(value, depth)
    default:
      throw unencodable(typeof value)
  }
}

/** What needs no escape is the common case, and quoting it is several times cheaper than `JSON.stringify`. */
const plain = /^[ !#-[\]-~]*$/

function encodeString(value: string): string {
  if (plain.test(value)) return `"${value}"`
  if (!value.isWellFormed()) throw unencodable('a lone surrogate')
  return JSON.stringify(value)
}

function encodeArray(items: readonly unknown[], depth: number): string {
  let json = '['
  for (let i = 0; i < items.length; i += 1)
    json += (i === 0 ? '' : ',') + encode(items[i], depth + 1)
  return `${json}]`
}

function encodeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw unencodable('a class instance')
  let json = '{'
  for (const name of Object.keys(value).sort()) {
    const member: unknown = (value as Record<string, unknown>)[name]
    json += `${json.length === 1 ? '' : ','}${encodeString(name)}:${encode(member, depth + 1)}`
  }
  return `${json}}`
}

function unencodable(found: string): LogError {
  return new LogError('entry-unencodable', { found })
}
