import { HomeError } from './home-error.ts'

/** A file of a home: named texts. */
export type HomeRecord<Member extends string> = { readonly [name in Member]: string }

/**
 * Reads such a file: JSON, exactly these members, all of them texts; `optional` ones are empty where they are left out.
 *
 * @param path the file's path, for messages
 * @throws HomeError `home-malformed`
 */
export function parseRecord<Member extends string>(
  text: string,
  path: string,
  members: readonly Member[],
  optional: readonly Member[] = [],
): HomeRecord<Member> {
  const value = parseObject(text, path)
  const unknown = Object.keys(value).find(name => !(members as readonly string[]).includes(name))
  if (unknown !== undefined) throw malformed(path, `an unknown member ${unknown.slice(0, 40)}`)
  const entries = members.map(name => {
    const member = value[name] ?? (optional.includes(name) ? '' : undefined)
    if (typeof member !== 'string') throw malformed(path, `no member ${name}`)
    return [name, member] as const
  })
  return Object.fromEntries(entries) as HomeRecord<Member>
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HomeError('home-malformed', { found: path, cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(path, 'no object')
  return value as Record<string, unknown>
}

function malformed(path: string, found: string): HomeError {
  return new HomeError('home-malformed', { found: `${path}: ${found}` })
}
