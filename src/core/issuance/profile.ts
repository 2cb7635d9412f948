import { keyUsages } from '../x509/certificate.ts'
import type { ProfileExtension } from './extension-name.ts'
import { keyPurposes } from './key-purpose.ts'
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

const members: MemberRules = {
  name: [profileNames.join(', '), value => isOneOf(value, profileNames)],
  summary: ['a sentence', isText],
  x509Svid: ['true or false', isBoolean],
  subject: ['common-name, empty', value => isOneOf(value, ['common-name', 'empty'])],
  maxLifetimeSeconds: ['60 to 31536000', value => isWithin(value, 60, 31_536_000)],
  backdateSeconds: ['0 to 3600', value => isWithin(value, 0, 3600)],
  keyUsage: [Object.keys(keyUsages).join(', '), value => isListOf(value, Object.keys(keyUsages))],
  extendedKeyUsage: [
    Object.keys(keyPurposes).join(', '),
    value => isListOf(value, Object.keys(keyPurposes)),
  ],
  extensions: [
    'a list of { name, critical }, each name once',
    value => isExtensionList(value, { critical: isBoolean }),
  ],
}

/**
 * Reads a profile (JSON). Strict: a member that is missing, unknown or of another form is refused.
 *
 * @throws ProfileError `profile-malformed`
 */
export function parseProfile(json: string): CertificateProfile {
  return parseMembers(json, members) as unknown as CertificateProfile
}

/**
 * Puts the profiles together: each name once, none missing.
 *
 * @throws ProfileError `profile-malformed`
 */
export function collectProfiles(profiles: readonly CertificateProfile[]): CertificateProfiles {
  return collectByName(profileNames, profiles)
}
