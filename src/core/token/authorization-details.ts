import { parseUniqueJson } from '../json/unique-members.ts'

/** The common data fields that list what is asked for (RFC 9396 §2.2). */
export const detailFields = ['locations', 'actions', 'datatypes', 'privileges'] as const

type DetailField = (typeof detailFields)[number]

/** A type of authorization details that a class registers: of each field the values that its agents may ask for. */
export type DetailType = { readonly type: string } & {
  readonly [field in DetailField]?: readonly string[] | undefined
} & {
  /** Identifiers of things at the API, exactly. */
  readonly identifiers?: readonly string[] | undefined
}

/** One granted authorization detail (RFC 9396 §2). */
export type AuthorizationDetail = { readonly type: string } & {
  readonly [field in DetailField]?: readonly string[] | undefined
} & { readonly identifier?: string }

/** Most details that one token may carry: it travels in a header. */
const maxDetails = 16

/**
 * Holds the details asked for against the registered types. Nothing is cut down: what is not registered, in any
 * member, refuses the whole.
 *
 * @param text the parameter as it was sent: a JSON array, in which no member of an object may occur twice
 * @returns undefined when it is refused: OAuth's `invalid_authorization_details`
 * @see RFC 9396 §2, §5
 */
export function grantDetails(
  text: string,
  registered: readonly DetailType[],
): AuthorizationDetail[] | undefined {
  const asked = readJson(text)
  if (!Array.isArray(asked) || asked.length === 0 || asked.length > maxDetails) return undefined
  const isGranted = (asked as unknown[]).every(detail =>
    registered.some(type => isWithin(detail, type)),
  )
  return isGranted ? (asked as AuthorizationDetail[]) : undefined
}

function readJson(text: string): unknown {
  try {
    return parseUniqueJson(text)
  } catch {
    return undefined
  }
}

function isWithin(detail: unknown, type: DetailType): boolean {
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return false
  const members = Object.entries(detail)
  return (
    (detail as { type?: unknown }).type === type.type &&
    members.every(([name, value]) => isMemberWithin(name, value, type))
  )
}

function isMemberWithin(name: string, value: unknown, type: DetailType): boolean {
  if (name === 'type') return true
  if (name === 'identifier') return (type.identifiers ?? []).some(one => one === value)
  const field = detailFields.find(candidate => candidate === name)
  if (field === undefined || !Array.isArray(value) || value.length === 0) return false
  const allowed = type[field] ?? []
  if (new Set(value).size < value.length) return false
  return (value as unknown[]).every(one => allowed.some(candidate => candidate === one))
}

/**
 * True when each of the details is, or is part of, one of those held: what a delegation may pass on. A field that is
 * left out asks for all of it, so every field that the held one has must be there.
 */
export function areNarrower(
  asked: readonly AuthorizationDetail[],
  held: readonly AuthorizationDetail[],
): boolean {
  return asked.every(detail =>
    held.some(
      whole =>
        isWithin(detail, typeOf(whole)) &&
        Object.keys(whole).every(member => Object.hasOwn(detail, member)),
    ),
  )
}

/** A held detail as the type of what may be asked for under it. */
function typeOf({ identifier, ...detail }: AuthorizationDetail): DetailType {
  return { ...detail, ...(identifier === undefined ? {} : { identifiers: [identifier] }) }
}
