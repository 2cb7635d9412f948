import test from 'ava'
import * as fc from 'fast-check'
import { hasRepeatedMember, parseUniqueJson } from '../../../src/core/json/unique-members.ts'

test('reads an object whose members come once', t => {
  const text = String.raw`{"a":{"b":[{"c":":"},{"c":"\\"}]},"d":"\":{","__proto__":1}`
  t.deepEqual(Object.keys(parseUniqueJson(text) as object), ['a', 'd', '__proto__'])
})

for (const [name, text] of [
  ['with a member twice', '{"a":1,"a":1}'],
  ['with a member twice further down', '{"x":[{"a":1,"a":2}]}'],
  ['with a member twice in another spelling', String.raw`{"a":1,"\u0061":2}`],
  ['that breaks off', '{"a'],
  ['that is no JSON', '{a:1}'],
  ['with 17 levels', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`],
] as const)
  test(`refuses JSON ${name}`, t => {
    t.throws(() => parseUniqueJson(text), { instanceOf: SyntaxError })
  })

test('reads 16 levels and other JSON than objects', t => {
  t.truthy(parseUniqueJson(`${'{"a":'.repeat(16)}1${'}'.repeat(16)}`))
  t.deepEqual(parseUniqueJson('[{"a":1},{"a":2}]'), [{ a: 1 }, { a: 2 }])
})

test('a repeated member is seen at any depth, and nothing else is taken for one', t => {
  t.true(hasRepeatedMember('{"a":{"b":1,"b":2}}', { a: { b: 2 } }))
  fc.assert(
    fc.property(fc.json(), text => {
      const value: unknown = JSON.parse(text)
      return !hasRepeatedMember(JSON.stringify(value), value)
    }),
  )
})
