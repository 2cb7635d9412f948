import test from 'ava'
import {
  authorityProfileNames,
  collectAuthorityProfiles,
  parseAuthorityProfile,
} from '../../../src/core/issuance/authority-profile.ts'
import { testAuthorityIssuance } from '../../support/test-issuance.ts'

const { profiles } = testAuthorityIssuance
const code = 'profile-malformed'

test('the profiles of authorities are those that there are, and each is read as it is written', t => {
  t.deepEqual(Object.keys(profiles).toSorted(), [...authorityProfileNames].toSorted())
  for (const profile of Object.values(profiles))
    t.deepEqual(parseAuthorityProfile(JSON.stringify(profile)), profile)
})

const changes: readonly (readonly [string, string, unknown])[] = [
  ['a name that no kind has', 'name', 'host'],
  ['a lifetime of minutes', 'maxLifetimeSeconds', 3599],
  ['a lifetime beyond 25 years', 'maxLifetimeSeconds', 788_400_001],
  ['a path length that is no number', 'maxPathLength', 'none'],
  ['a path that is too long', 'maxPathLength', 4],
  ['an unknown curve', 'curves', ['P-521']],
  ['no curve', 'curves', []],
  ['a usage that no authority has', 'keyUsage', ['keyAgreement']],
  ['a usage that the lints refuse', 'keyUsage', ['keyCertSign', 'cRLSign', 'digitalSignature']],
  ['an extension that is there by accident', 'extensions', [{ name: 'keyUsage', critical: true }]],
  [
    'an extension that is there sometimes',
    'extensions',
    [{ name: 'keyUsage', critical: true, presence: 'sometimes' }],
  ],
]

for (const [what, member, value] of changes) {
  test(`refuses ${what}`, t => {
    const json = JSON.stringify({ ...profiles.root, [member]: value })
    const error = t.throws(() => parseAuthorityProfile(json), { code })
    t.is((error as { found?: string } | undefined)?.found, `member ${member}`)
  })
}

test('a set of profiles has each name once', t => {
  const all = Object.values(profiles)
  t.deepEqual(collectAuthorityProfiles(all), profiles)
  t.throws(() => collectAuthorityProfiles(all.slice(1)), { code })
  t.throws(() => collectAuthorityProfiles([...all, profiles.root]), { code })
})
