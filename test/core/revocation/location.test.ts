import test from 'ava'
import { shardCount, shardOf, statusUrls } from '../../../src/core/revocation/location.ts'

test('every serial number belongs to one list, always the same', t => {
  t.is(shardOf('40ff'), 15)
  t.is(shardOf('4010'), 0)
  t.is(shardOf('4'), 4)
  const serials = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
  t.is(new Set(serials.map(shardOf)).size, shardCount)
})

test('each authority has addresses of its own', t => {
  const location = { base: 'https://assay.example', authorityId: 'ab' }
  t.deepEqual(statusUrls(location, '4003'), {
    crl: 'https://assay.example/crl/ab/3',
    ocsp: 'https://assay.example/ocsp/ab',
    issuer: 'https://assay.example/authorities/ab',
  })
})
