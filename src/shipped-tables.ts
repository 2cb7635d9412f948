import { readFileSync } from 'node:fs'
import {
  parseFirmwareAdvisories,
  type FirmwareAdvisory,
} from './core/appraisal/firmware-advisory.ts'
import { AuthorizationSchema } from './core/authorization/schema.ts'
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
  const load = (name: ProfileName): CertificateProfile =>
    parseProfile(readFileSync(new URL(`../ca/profiles/${name}.json`, import.meta.url), 'utf8'))
  return collectProfiles(profileNames.map(load))
}

/** What authorization policies can speak of in this version. */
export function loadAuthorizationSchema(): AuthorizationSchema {
  const path = new URL('../ca/authorization.cedarschema', import.meta.url)
  return AuthorizationSchema.prepare(readFileSync(path, 'utf8'))
}
