import test from 'ava'
import { DerReader } from '../../../src/core/der/reader.ts'
import * as der from '../../../src/core/der/writer.ts'
import { readAuthorityKeyIdentifier } from '../../../src/core/x509/extension-value.ts'

const keyIdentifier = Buffer.from([1, 2, 3])
const key = der.implicitPrimitive(0, keyIdentifier)
const issuer = der.contextConstructed(1, der.implicitPrimitive(2, Buffer.from('ca.example')))
const serial = der.implicitPrimitive(2, Uint8Array.of(5))

const read = (...parts: Uint8Array[]): ReturnType<typeof readAuthorityKeyIdentifier> =>
  readAuthorityKeyIdentifier(new DerReader(der.sequence(...parts)), new Set())

test('an authority key identifier names a key, an issuer with its serial number, both or neither', t => {
  t.deepEqual(read(key), { hasIssuer: false, keyIdentifier })
  t.deepEqual(read(key, issuer, serial), { hasIssuer: true, keyIdentifier })
  t.deepEqual(read(issuer, serial), { hasIssuer: true })
  t.deepEqual(read(), { hasIssuer: false })
})

test('an issuer without a serial number, or the other way round, is refused', t => {
  for (const parts of [
    [key, issuer],
    [key, serial],
  ])
    t.throws(() => read(...parts), { code: 'der-value' })
})
