import test from 'ava'
import * as fc from 'fast-check'
import { parseUniqueJson } from '../../../src/core/json/unique-members.ts'

test('reads what JSON.parse reads', t => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, indent)
      t.deepEqual(parseUniqueJson(spaced), JSON.parse(spaced))
    }),
  )
})

const twice = [
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '[{"b":{}},{"b":{"c":[],"d":{},"c":0}}]',
  '{"a":{"x":1},"b":"a","a":[]}',
  '{ "a" : [1,2] , "a" : 3 }',
]

for (const text of twice) {
  test(`refuses ${text}: a member comes twice`, t => {
    t.throws(() => parseUniqueJson(text), { instanceOf: SyntaxError })
  })
}

test('a name in another object, in a value or in an array is no second one', t => {
  const text = '{"a":{"a":"a"},"b":["a","a",{"a":1}],"c":"\\",\\"a\\":"}'
  t.deepEqual(parseUniqueJson(text), JSON.parse(text))
})

test('refuses what is no JSON', t => {
  t.throws(() => parseUniqueJson('{"a":1'), { instanceOf: SyntaxError })
})
