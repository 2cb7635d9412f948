import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { extensionIds } from './extension-name.ts'

const rows = {
  'profile-malformed': {
    summary: 'A certificate profile cannot be used as it is.',
    hint: 'Correct the member named above in ca/profiles; every member is needed, and no other is known.',
    source: 'RFC 5280 §4.2',
  },
} as const satisfies Record<string, ErrorRow>

/** A profile that is refused; `found` names it and the member. */
export class ProfileError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** How each member of a profile must look: what it is, in words, and the test. */
export type MemberRules = Readonly<Record<string, readonly [string, (value: unknown) => boolean]>>

/**
 * Reads the members of a profile (JSON). Strict: one that is missing, unknown or of another form is refused.
 *
 * @throws ProfileError `profile-malformed`
 */
export function parseMembers(json: string, members: MemberRules): Record<string, unknown> {
  const value = parseObject(json)
  const unknown = Object.keys(value).find(name => !Object.hasOwn(members, name))
  if (unknown !== undefined)
    throw new ProfileError('profile-malformed', { found: `unknown member ${unknown}` })
  for (const [member, [expected, isGood]] of Object.entries(members)) {
    if (!isGood(value[member]))
      throw new ProfileError('profile-malformed', { expected, found: `member ${member}` })
  }
  return value
}

/**
 * Profiles by name: each once, none missing.
 *
 * @throws ProfileError `profile-malformed`
 */
export function collectByName<Name extends string, Profile extends { readonly name: Name }>(
  names: readonly Name[],
  profiles: readonly Profile[],
): Readonly<Record<Name, Profile>> {
  const byName = Object.fromEntries(profiles.map(profile => [profile.name, profile]))
  const missing = names.find(name => byName[name] === undefined)
  if (missing !== undefined || profiles.length !== names.length)
    throw new ProfileError('profile-malformed', {
      expected: `each of ${names.join(', ')} once`,
      found: missing === undefined ? 'a profile twice' : `no profile ${missing}`,
    })
  return byName as unknown as Readonly<Record<Name, Profile>>
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    if (isObject(value)) return value
  } catch (cause) {
    throw new ProfileError('profile-malformed', { expected: 'one JSON object', cause })
  }
  throw new ProfileError('profile-malformed', { expected: 'one JSON object' })
}

/** A list of extensions, each name once; a row holds its name and members that are each as a rule says. */
export function isExtensionList(
  value: unknown,
  others: Readonly<Record<string, (value: unknown) => boolean>>,
): boolean {
  if (!Array.isArray(value)) return false
  const names = value.map((row: unknown) => (isObject(row) ? row['name'] : undefined))
  return (
    isListOf(names, Object.keys(extensionIds)) &&
    value.every(
      (row: Record<string, unknown>) =>
        Object.keys(row).length === 1 + Object.keys(others).length &&
        Object.entries(others).every(([name, isGood]) => isGood(row[name])),
    )
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A sentence or a word. */
export function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

export function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

/** One of the known texts. */
export function isOneOf(value: unknown, known: readonly string[]): boolean {
  return typeof value === 'string' && known.includes(value)
}

/** One of the known texts or more, each once. */
export function isListOf(value: unknown, known: readonly string[]): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every(each => isOneOf(each, known))
  )
}

/** A whole number between two bounds, both included. */
export function isWithin(value: unknown, low: number, high: number): boolean {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high
}
