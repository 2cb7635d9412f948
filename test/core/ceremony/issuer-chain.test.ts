import test from 'ava'
import { requireAbove } from '../../../src/core/ceremony/issuer-chain.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { makeAuthority, rootKey } from './fixtures.ts'

const [middleKey, otherKey] = [createTestKey('P-384'), createTestKey('P-384')]
const root = await makeAuthority(rootKey, rootKey, {})
const middle = await makeAuthority(middleKey, rootKey, {
  issuer: root,
  subject: commonName('Middle'),
  pathLength: 0,
})
/** Of the root's name and another key, and of its key and another name. */
const namesake = await makeAuthority(otherKey, otherKey, {})
const renamed = await makeAuthority(rootKey, rootKey, { subject: commonName('Renamed') })

test('an issuer’s file may hold those above it, each signed by the next, or none', t => {
  t.notThrows(() => requireAbove([middle, root]))
  t.notThrows(() => requireAbove([middle]))
  t.notThrows(() => requireAbove([root]))
})

const refusals: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
  ['of the right name, but another key', 'ceremony-above', [middle, namesake]],
  ['of the right key, but another name', 'ceremony-above', [middle, renamed]],
  ['that is below, not above', 'ceremony-above', [root, middle]],
  ['after the root', 'ceremony-above', [middle, root, namesake]],
  ['that is there twice', 'ceremony-above', [middle, root, root]],
  ['that is none', 'certificate-malformed', [middle, root.subarray(1)]],
]

for (const [what, code, chain] of refusals) {
  test(`refuses an issuer’s file with a certificate ${what}`, t => {
    t.throws(() => requireAbove(chain), { code })
  })
}
