import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { keyUsages } from '../x509/certificate.ts'
import { extensionIds, type ProfileExtension } from './extension-name.ts'
import { keyPurposes } from './key-purpose.ts'

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

/** The kinds of certificate that are issued here; each has a file of its name in `ca/profiles`. */
export const profileNames = [
  'host',
  'agent',
  'service',
  'operator',
  'attestation-key',
  'ocsp-responder',
] as const

export type ProfileName = (typeof profileNames)[number]

/** A certificate profile: what every certificate of this kind carries, as data. */
export interface CertificateProfile {
  readonly name: ProfileName
  /** What it is for, in one sentence. */
  readonly summary: string
  /** Whether it is held against X509-SVID as well. */
  readonly x509Svid: boolean
  readonly subject: 'common-name' | 'empty'
  /** From notBefore through the last second that is still good. */
  readonly maxLifetimeSeconds: number
  /** How long before it is issued it begins, for relying parties whose clock is behind. */
  readonly backdateSeconds: number
  /** Names of bits (RFC 5280 §4.2.1.3). */
  readonly keyUsage: readonly (keyof typeof keyUsages)[]
  /** Names of purposes (`keyPurposes`). */
  readonly extendedKeyUsage: readonly string[]
  /** Exactly these, in this order. */
  readonly extensions: readonly ProfileExtension[]
}

/** Every profile by name. */
export type CertificateProfiles = Readonly<Record<ProfileName, CertificateProfile>>

/** How each member must look: what it is, in words, and the test. */
const members: Readonly<
  Record<keyof CertificateProfile, readonly [string, (value: unknown) => boolean]>
> = {
  name: [profileNames.join(', '), value => isOneOf(value, profileNames)],
  summary: ['a sentence', value => typeof value === 'string' && value !== ''],
  x509Svid: ['true or false', value => typeof value === 'boolean'],
  subject: ['common-name, empty', value => isOneOf(value, ['common-name', 'empty'])],
  maxLifetimeSeconds: ['60 to 31536000', value => isWithin(value, 60, 31_536_000)],
  backdateSeconds: ['0 to 3600', value => isWithin(value, 0, 3600)],
  keyUsage: [Object.keys(keyUsages).join(', '), value => isListOf(value, Object.keys(keyUsages))],
  extendedKeyUsage: [
    Object.keys(keyPurposes).join(', '),
    value => isListOf(value, Object.keys(keyPurposes)),
  ],
  extensions: ['a list of { name, critical }, each name once', isExtensionList],
}

/**
 * Reads a profile (JSON). Strict: a member that is missing, unknown or of another form is refused.
 *
 * @throws ProfileError `profile-malformed`
 */
export function parseProfile(json: string): CertificateProfile {
  const value = parseObject(json)
  const unknown = Object.keys(value).find(name => !Object.hasOwn(members, name))
  if (unknown !== undefined)
    throw new ProfileError('profile-malformed', { found: `unknown member ${unknown}` })
  for (const [member, [expected, isGood]] of Object.entries(members)) {
    if (!isGood(value[member]))
      throw new ProfileError('profile-malformed', { expected, found: `member ${member}` })
  }
  return value as unknown as CertificateProfile
}

/**
 * Puts the profiles together: each name once, none missing.
 *
 * @throws ProfileError `profile-malformed`
 */
export function collectProfiles(profiles: readonly CertificateProfile[]): CertificateProfiles {
  const byName = Object.fromEntries(profiles.map(profile => [profile.name, profile]))
  const missing = profileNames.find(name => byName[name] === undefined)
  if (missing !== undefined || profiles.length !== profileNames.length)
    throw new ProfileError('profile-malformed', {
      expected: `each of ${profileNames.join(', ')} once`,
      found: missing === undefined ? 'a profile twice' : `no profile ${missing}`,
    })
  return byName as unknown as CertificateProfiles
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

function isExtensionList(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  const names = value.map((row: unknown) => (isObject(row) ? row['name'] : undefined))
  return (
    isListOf(names, Object.keys(extensionIds)) &&
    value.every(
      (row: Record<string, unknown>) =>
        Object.keys(row).length === 2 && typeof row['critical'] === 'boolean',
    )
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOneOf(value: unknown, known: readonly string[]): boolean {
  return typeof value === 'string' && known.includes(value)
}

/** One of the known texts or more, each once. */
function isListOf(value: unknown, known: readonly string[]): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every(each => isOneOf(each, known))
  )
}

function isWithin(value: unknown, low: number, high: number): boolean {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high
}
