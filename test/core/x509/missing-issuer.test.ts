import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { missingIssuerLocations } from '../../../src/core/x509/missing-issuer.ts'
import { createAuthority } from '../../../swtpm/emulated/certificate.ts'
import { authority, intermediate, leafBytes, now, root, withExtension } from './fixtures.ts'

const locations = ['http://ek.example/a.cer', 'http://ek.example/b.cer']
const access = der.sequence(
  ...locations.map(text =>
    der.sequence(
      der.objectIdentifier('1.3.6.1.5.5.7.48.2'),
      der.implicitPrimitive(6, Buffer.from(text)),
    ),
  ),
)
const names = withExtension('1.3.6.1.5.5.7.1.1', { value: access })
const leaf = leafBytes(names)
const anchors = [root.certificate]

test('where the issuer is unknown, the locations that the certificate names are the answer', t => {
  t.deepEqual(missingIssuerLocations(leaf, [], anchors), locations)
  t.deepEqual(missingIssuerLocations(leafBytes(), [], anchors), [])
  const junk = [Uint8Array.of(1, 2, 3)]
  t.deepEqual(missingIssuerLocations(leaf, junk, junk), locations)
})

test('where a path is known to an anchor nothing is missing', t => {
  t.deepEqual(missingIssuerLocations(leaf, [intermediate.certificate], anchors), [])
  t.deepEqual(missingIssuerLocations(leaf, [], [intermediate.certificate]), [])
})

test('what is missing above an intermediate is where that one says', t => {
  const upper = authority('Upper')
  const lower = authority('Lower', names, upper)
  const below = leafBytes(undefined, lower)
  t.deepEqual(missingIssuerLocations(below, [lower.certificate], anchors), locations)
  t.deepEqual(missingIssuerLocations(below, [lower.certificate, upper.certificate], anchors), [])
})

test('an authority of the same name and another key is another one', t => {
  const other = createAuthority('Test intermediate', now, root)
  t.deepEqual(missingIssuerLocations(leaf, [other.certificate], anchors), locations)
  const unmarked = createAuthority(
    'Test intermediate',
    now,
    root,
    withExtension('2.5.29.14', undefined),
  )
  t.deepEqual(missingIssuerLocations(leaf, [unmarked.certificate], anchors), [])
})

test('a root that nobody admitted is no end, and a circle has one', t => {
  const stranger = createAuthority('Stranger', now)
  const below = leafBytes(names, stranger)
  t.deepEqual(missingIssuerLocations(below, [stranger.certificate], anchors), locations)
  const one = createAuthority('One', now)
  const two = createAuthority('Two', now, one)
  const back = createAuthority('One', now, two, withExtension('2.5.29.14', undefined))
  const inCircle = leafBytes(names, two)
  t.deepEqual(missingIssuerLocations(inCircle, [two.certificate, back.certificate], anchors), [])
})

test('a certificate that cannot be read names nothing', t => {
  t.deepEqual(missingIssuerLocations(leaf.subarray(0, -1), [], anchors), [])
})
