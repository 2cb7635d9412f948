import test from 'ava'
import { followPlaces, isPkcs11TokenUri, keyUriIn } from '../../src/hsm/pkcs11-place.ts'
import { parsePkcs11Uri } from '../../src/hsm/pkcs11-uri.ts'

const place = 'pkcs11:token=ca;object=issuing;serial=1?module-path=/lib/x.so&pin-source=/etc/pin'

test('a key is named in the token of another one, with library and PIN file', t => {
  const uri = keyUriIn(place, 'authority-1', Buffer.from('a0ff', 'hex'))
  t.like(parsePkcs11Uri(uri), {
    modulePath: '/lib/x.so',
    token: 'ca',
    serial: '1',
    object: 'authority-1',
    pinSource: '/etc/pin',
  })
  t.deepEqual([...(parsePkcs11Uri(uri).id ?? [])], [0xa0, 0xff])
})

test('a key goes where its token goes: library and PIN file are those of today', t => {
  const uri = keyUriIn(place, 'a', Buffer.of(1))
  const today = 'pkcs11:serial=1;token=ca?module-path=/opt/y.so'
  t.like(parsePkcs11Uri(followPlaces(uri, [today])), { modulePath: '/opt/y.so', object: 'a' })
  const other = 'pkcs11:token=other?module-path=/opt/y.so'
  t.is(followPlaces(uri, [other]), uri)
  t.is(followPlaces(uri, []), uri)
})

test('a token is named without a key', t => {
  t.true(isPkcs11TokenUri('pkcs11:token=a?module-path=/lib/x.so'))
  for (const text of [
    place,
    'pkcs11:token=a?module-path=x.so',
    'pkcs11:token=a',
    'embedded',
    'pkcs11:token=a?module-path=/lib/x.so&pin-value=1234',
  ])
    t.false(isPkcs11TokenUri(text), text)
})
