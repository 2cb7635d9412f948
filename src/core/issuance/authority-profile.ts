import type { ProfileExtension } from './extension-name.ts'
import {
  collectByName,
  isBoolean,
  isExtensionList,
  isListOf,
  isOneOf,
  isText,
  isWithin,
  parseMembers,
  type MemberRules,
} from './profile-member.ts'

/** The kinds of authority that are certified here; each has a file of its name in `ca/profiles`. */
export const authorityProfileNames = ['root', 'intermediate', 'cross-certificate'] as const

export type AuthorityProfileName = (typeof authorityProfileNames)[number]

/** Curves that the key of an authority may be on: those that this service signs and verifies with. */
export const authorityCurves = ['P-256', 'P-384'] as const

export type AuthorityCurve = (typeof authorityCurves)[number]

/** Those that `lint-authority-usage` lets an authority have. */
const usages = ['keyCertSign', 'cRLSign'] as const

/** One extension of an authority: whether it stands there always, or where the ceremony gives it a value. */
export interface AuthorityExtension extends ProfileExtension {
  readonly presence: 'always' | 'where-asked'
}

/** The profile of an authority's certificate, as data. */
export interface AuthorityProfile {
  readonly name: AuthorityProfileName
  /** What it is for, in one sentence. */
  readonly summary: string
  /** Whether it is held against X509-SVID as well. */
  readonly x509Svid: boolean
  /** From notBefore through the last second that is still good. */
  readonly maxLifetimeSeconds: number
  /** Authorities that may stand in between it and an end entity, at most (RFC 5280 §4.2.1.9). */
  readonly maxPathLength: number
  readonly curves: readonly AuthorityCurve[]
  /** Names of bits (RFC 5280 §4.2.1.3). */
  readonly keyUsage: readonly (typeof usages)[number][]
  /** Exactly these, in this order. */
  readonly extensions: readonly AuthorityExtension[]
}

/** Every profile of an authority by name. */
export type AuthorityProfiles = Readonly<Record<AuthorityProfileName, AuthorityProfile>>

const members: MemberRules = {
  name: [authorityProfileNames.join(', '), value => isOneOf(value, authorityProfileNames)],
  summary: ['a sentence', isText],
  x509Svid: ['true or false', isBoolean],
  maxLifetimeSeconds: ['3600 to 788400000', value => isWithin(value, 3600, 788_400_000)],
  maxPathLength: ['0 to 3', value => isWithin(value, 0, 3)],
  curves: [authorityCurves.join(', '), value => isListOf(value, authorityCurves)],
  keyUsage: [usages.join(', '), value => isListOf(value, usages)],
  extensions: [
    'a list of { name, critical, presence }, each name once',
    value =>
      isExtensionList(value, {
        critical: isBoolean,
        presence: presence => isOneOf(presence, ['always', 'where-asked']),
      }),
  ],
}

/**
 * Reads the profile of an authority (JSON). Strict: a member that is missing, unknown or of another form is refused.
 *
 * @throws ProfileError `profile-malformed`
 */
export function parseAuthorityProfile(json: string): AuthorityProfile {
  return parseMembers(json, members) as unknown as AuthorityProfile
}

/**
 * Puts the profiles together: each name once, none missing.
 *
 * @throws ProfileError `profile-malformed`
 */
export function collectAuthorityProfiles(profiles: readonly AuthorityProfile[]): AuthorityProfiles {
  return collectByName(authorityProfileNames, profiles)
}
