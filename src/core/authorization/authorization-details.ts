import { createHash } from 'node:crypto'
import { factOf } from '../coded-error.ts'
import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { noDetails, type DetailFacts } from './decision-input.ts'
import { AuthorizationError } from './error.ts'

/** Names by which Cedar's JSON says what type a value has. */
const reserved = /^__/

const maxDepth = 8

/**
 * Refuses untrusted JSON that could be more than data: names that choose a type, at any depth, and values that make a
 * decision fail.
 *
 * @throws AuthorizationError `untrusted-reserved`, `untrusted-value`
 * @see Cedar 4.5 §JSON format of entities: `__entity`, `__extn`, `__expr`
 */
export function requirePlainData(value: unknown, depth = 0): void {
  if (typeof value === 'string' && value.isWellFormed()) return
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return
  if (typeof value !== 'object' || value === null || depth >= maxDepth)
    throw new AuthorizationError('untrusted-value', { found: factOf(value) })
  if (Array.isArray(value)) return value.forEach(item => requirePlainData(item, depth + 1))
  for (const [name, member] of Object.entries(value)) {
    if (reserved.test(name))
      throw new AuthorizationError('untrusted-reserved', { found: factOf(name) })
    requirePlainData(member, depth + 1)
  }
}

/** Which member of a detail becomes which set. */
const memberOf = {
  types: 'type',
  actions: 'actions',
  locations: 'locations',
  datatypes: 'datatypes',
  identifiers: 'identifier',
  privileges: 'privileges',
} as const satisfies Record<keyof DetailFacts, string>

/**
 * What policies see of authorization details, and the digest that binds a grant to exactly them.
 *
 * @param details as the caller sent them, JSON; whether its types are known is not asked here
 * @throws AuthorizationError `untrusted-reserved`, `untrusted-value`
 * @see RFC 9396 §2
 */
export function readDetails(details: readonly object[]): {
  readonly facts: DetailFacts
  readonly digest: string | null
} {
  requirePlainData(details)
  if (details.length === 0) return { facts: noDetails, digest: null }
  const rows = details as readonly Readonly<Record<string, unknown>>[]
  const facts = Object.fromEntries(
    Object.entries(memberOf).map(([set, member]) => [set, textsOf(rows.map(row => row[member]))]),
  ) as unknown as DetailFacts
  const digest = createHash('sha256').update(encodeCanonicalJson(details)).digest('base64url')
  return { facts, digest }
}

function textsOf(values: readonly unknown[]): string[] {
  const texts = values.flat().filter(value => typeof value === 'string')
  return [...new Set(texts)].sort()
}
