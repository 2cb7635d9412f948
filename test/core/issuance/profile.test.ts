import test from 'ava'
import {
  collectProfiles,
  parseProfile,
  profileNames,
  type CertificateProfile,
} from '../../../src/core/issuance/profile.ts'
import { testIssuance } from '../../support/test-issuance.ts'

const { profiles } = testIssuance
const code = 'profile-malformed'

test('the profiles of ca/profiles are those that there are, and each is read as it is written', t => {
  t.deepEqual(Object.keys(profiles).toSorted(), [...profileNames].toSorted())
  for (const profile of Object.values(profiles))
    t.deepEqual(parseProfile(JSON.stringify(profile)), profile)
})

test('what is issued over attested hardware says so, and everything else does not', t => {
  const named = (profile: CertificateProfile): boolean =>
    profile.extensions.some(({ name }) => name === 'assuranceLevel') &&
    profile.extensions.some(({ name }) => name === 'attestationResult')
  t.deepEqual(
    profileNames.filter(name => named(profiles[name])),
    ['host', 'agent', 'attestation-key'],
  )
})

const changes: readonly (readonly [string, string, unknown])[] = [
  ['a name that no kind has', 'name', 'device'],
  ['a summary without text', 'summary', ''],
  ['a word for a boolean', 'x509Svid', 'true'],
  ['another subject', 'subject', 'serial'],
  ['a lifetime of seconds', 'maxLifetimeSeconds', 59],
  ['a lifetime of years', 'maxLifetimeSeconds', 31_536_001],
  ['a lifetime that is no number of seconds', 'maxLifetimeSeconds', 3600.5],
  ['a long way back', 'backdateSeconds', 3601],
  ['an unknown usage', 'keyUsage', ['signing']],
  ['no usage', 'keyUsage', []],
  ['one usage twice', 'keyUsage', ['digitalSignature', 'digitalSignature']],
  ['a usage that is no text', 'keyUsage', [1]],
  ['an unknown purpose', 'extendedKeyUsage', ['1.2.3']],
  ['a purpose that is no list', 'extendedKeyUsage', 'serverAuth'],
  ['extensions that are no list', 'extensions', {}],
  ['an extension that is no object', 'extensions', ['keyUsage']],
  ['an unknown extension', 'extensions', [{ name: '2.5.29.99', critical: false }]],
  ['an extension that is neither critical nor not', 'extensions', [{ name: 'keyUsage' }]],
  ['an extension with more to it', 'extensions', [{ name: 'keyUsage', critical: true, value: '' }]],
]

for (const [what, member, value] of changes) {
  test(`refuses ${what}`, t => {
    const json = JSON.stringify({ ...profiles.agent, [member]: value })
    const error = t.throws(() => parseProfile(json), { code })
    t.is((error as { found?: string } | undefined)?.found, `member ${member}`)
  })
}

test('refuses a member that is missing or unknown, and what is no JSON object', t => {
  for (const member of Object.keys(profiles.agent))
    t.throws(() => parseProfile(JSON.stringify({ ...profiles.agent, [member]: undefined })), {
      code,
    })
  t.throws(() => parseProfile(JSON.stringify({ ...profiles.agent, policy: 'x' })), { code })
  for (const text of ['', '{', '[]', 'null', '"x"']) t.throws(() => parseProfile(text), { code })
})

test('a set of profiles has each name once', t => {
  const all = Object.values(profiles)
  t.deepEqual(collectProfiles(all), profiles)
  t.throws(() => collectProfiles(all.slice(1)), { code })
  t.throws(() => collectProfiles([...all, profiles.agent]), { code })
})
