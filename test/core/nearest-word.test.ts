import test from 'ava'
import { nearestWord } from '../../src/core/nearest-word.ts'

for (const [word, meant] of [
  ['tokens', 'token'],
  ['prot', 'port'],
  ['issuer', 'issuer'],
  ['somethingElseEntirely', undefined],
] as const)
  test(`${word} was meant to be ${meant ?? 'none of them'}`, t => {
    t.is(nearestWord(word, ['issuer', 'port', 'token']), meant)
  })

test('of no words none is near, and the empty word is not far from a short one', t => {
  t.is(nearestWord('token', []), undefined)
  t.is(nearestWord('', ['ab', 'abc']), 'ab')
})
