import { readFileSync } from 'node:fs'
import {
  parseFirmwareAdvisories,
  type FirmwareAdvisory,
} from './core/appraisal/firmware-advisory.ts'
import { AuthorizationSchema } from './core/authorization/schema.ts'
import {
  authorityProfileNames,
  collectAuthorityProfiles,
  parseAuthorityProfile,
  type AuthorityProfiles,
} from './core/issuance/authority-profile.ts'
import {
  collectProfiles,
  parseProfile,
  profileNames,
  type CertificateProfile,
  type CertificateProfiles,
  type ProfileName,
} from './core/issuance/profile.ts'

// What comes with a version in `ca`, for whoever runs the authority to read and edit.

/** The table of known-vulnerable TPM firmware that comes with this version. */
export function loadFirmwareAdvisories(): readonly FirmwareAdvisory[] {
  const path = new URL('../ca/firmware-advisories.json', import.meta.url)
  return parseFirmwareAdvisories(readFileSync(path, 'utf8'))
}

/** The certificate profiles that an operator reads and edits, one file each. Throws ProfileError `profile-malformed`. */
export function loadCertificateProfiles(): CertificateProfiles {
  const load = (name: ProfileName): CertificateProfile => parseProfile(readProfile(name))
  return collectProfiles(profileNames.map(load))
}

/** The profiles of authorities, as those of certificates. Throws ProfileError `profile-malformed`. */
export function loadAuthorityProfiles(): AuthorityProfiles {
  const profiles = authorityProfileNames.map(name => parseAuthorityProfile(readProfile(name)))
  return collectAuthorityProfiles(profiles)
}

function readProfile(name: string): string {
  return readFileSync(new URL(`../ca/profiles/${name}.json`, import.meta.url), 'utf8')
}

/** The authorization policies that a service begins with, text. */
export function loadStarterPolicies(): string {
  return readFileSync(new URL('../ca/authorization-starter.cedar', import.meta.url), 'utf8')
}

/** What authorization policies can speak of in this version. */
export function loadAuthorizationSchema(): AuthorizationSchema {
  const path = new URL('../ca/authorization.cedarschema', import.meta.url)
  return AuthorizationSchema.prepare(readFileSync(path, 'utf8'))
}
