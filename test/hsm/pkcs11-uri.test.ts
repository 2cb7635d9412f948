import test from 'ava'
import * as fc from 'fast-check'
import { Pkcs11Error } from '../../src/hsm/pkcs11-error.ts'
import { parsePinSource, parsePkcs11Uri } from '../../src/hsm/pkcs11-uri.ts'

const module = 'module-path=/usr/lib/m.so'

test('a URI names module, token and key', t => {
  const uri = `pkcs11:token=The%20token;serial=12;object=oper%C3%A4tor;type=private?${module}&pin-source=file:/run/pin`
  t.deepEqual(parsePkcs11Uri(uri), {
    modulePath: '/usr/lib/m.so',
    token: 'The token',
    serial: '12',
    object: 'operätor',
    pinSource: '/run/pin',
  })
})

test('an id is bytes, escaped or not, and needs no object beside it', t => {
  const { id, object } = parsePkcs11Uri(`pkcs11:id=%01%ffA;slot-id=7;model=M?${module}`)
  t.deepEqual(Buffer.from(id ?? []), Buffer.from([1, 0xff, 0x41]))
  t.is(object, undefined)
  t.is(parsePkcs11Uri(`pkcs11:id=%01;slot-id=7?${module}`).slotId, 7)
})

test('an equals sign, an ampersand in the path and a question mark in the query are values', t => {
  t.is(parsePkcs11Uri(`pkcs11:object=a=b&c?${module}`).object, 'a=b&c')
  t.is(parsePkcs11Uri(`pkcs11:object=a?module-path=/m?.so`).modulePath, '/m?.so')
})

const malformed: readonly (readonly [string, string])[] = [
  ['another scheme', `https:object=a?${module}`],
  ['nothing', ''],
  ['no key', `pkcs11:token=a?${module}`],
  ['no module', 'pkcs11:object=a'],
  ['an empty module', 'pkcs11:object=a?module-path='],
  ['an attribute that is not known', `pkcs11:object=a;colour=red?${module}`],
  ['an attribute of the query that is not known', `pkcs11:object=a?${module}&x-y=1`],
  ['an attribute twice', `pkcs11:object=a;object=b?${module}`],
  ['an attribute without a value', `pkcs11:object?${module}`],
  ['a bare percent sign', `pkcs11:object=100%?${module}`],
  ['a space', `pkcs11:object=a b?${module}`],
  ['a slash in the path', `pkcs11:object=a/b?${module}`],
  ['a certificate', `pkcs11:object=a;type=cert?${module}`],
  ['a slot that is no number', `pkcs11:object=a;slot-id=0x1?${module}`],
  ['bytes that are no UTF-8 in a label', `pkcs11:object=%ff?${module}`],
  ['a fragment', `pkcs11:object=a?${module}#x`],
  ['a command as the source of the PIN', `pkcs11:object=a?${module}&pin-source=%7Ccat%20/run/pin`],
  ['a relative path of the PIN', `pkcs11:object=a?${module}&pin-source=pin`],
  ['a PIN on another machine', `pkcs11:object=a?${module}&pin-source=file://host/pin`],
]

for (const [what, uri] of malformed) {
  test(`refuses a URI with ${what}`, t => {
    const error = t.throws(() => parsePkcs11Uri(uri), { instanceOf: Pkcs11Error })
    t.is(error.code, 'pkcs11-uri-malformed')
  })
}

for (const uri of [
  `pkcs11:object=a?${module}&pin-value=1234`,
  `pkcs11:object=a?pin-value=1234&${module}`,
]) {
  test(`refuses a PIN in the URI and does not repeat it: ${uri.slice(0, 25)}…`, t => {
    const error = t.throws(() => parsePkcs11Uri(uri), { instanceOf: Pkcs11Error })
    t.is(error.code, 'pkcs11-pin-in-uri')
    t.notRegex(`${error.message}${JSON.stringify(error)}${error.stack}`, /1234/)
  })
}

test('the source of a PIN is a path or a file URI', t => {
  for (const text of ['/run/pin', 'file:/run/pin', 'file:///run/pin'])
    t.is(parsePinSource(text), '/run/pin')
  for (const text of ['pin', '', 'file:pin', 'file://host/pin', '/run/pin\0', 'https://x/pin'])
    t.throws(() => parsePinSource(text), { code: 'pkcs11-uri-malformed' }, text)
})

test('any text is a URI or is refused with a code of this family', t => {
  const part = fc.constantFrom(
    'pkcs11:',
    'object=',
    'id=',
    ';',
    '?',
    '&',
    '%',
    '%41',
    module,
    '=',
    'a',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(part).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, uri => {
      try {
        return parsePkcs11Uri(uri).modulePath !== ''
      } catch (error) {
        return error instanceof Pkcs11Error
      }
    }),
  )
  t.pass()
})
