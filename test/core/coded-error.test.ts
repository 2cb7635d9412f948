import test from 'ava'
import * as fc from 'fast-check'
import { CodedError, describe, factOf, type ErrorFacts } from '../../src/core/coded-error.ts'

class ExampleError extends CodedError<'example'> {
  constructor(facts?: ErrorFacts, source?: string) {
    const row = { summary: 'It broke.', hint: 'Mend it.', ...(source ? { source } : {}) }
    super('example', row, facts)
  }
}

test('an error carries its code, its row and its facts, and keeps its cause', t => {
  const cause = new Error('below')
  const error = new ExampleError({ expected: 'a', found: 'b', cause }, 'RFC 0 §1')
  t.like(error, { code: 'example', name: 'ExampleError', hint: 'Mend it.', source: 'RFC 0 §1' })
  t.like(error, { message: 'It broke.', expected: 'a', found: 'b', cause })
  t.false('cause' in new ExampleError())
})

test('an error is told in the order that helps most, without lines that say nothing', t => {
  t.deepEqual(describe(new ExampleError({ expected: 'a', found: 'b' }, 'RFC 0 §1')), [
    'example: It broke.',
    '  expected: a',
    '  found:    b',
    '  try:      Mend it.',
    '  source:   RFC 0 §1',
  ])
  t.deepEqual(describe(new ExampleError()), ['example: It broke.', '  try:      Mend it.'])
})

test('any value from outside becomes a short fact', t => {
  t.is(factOf('a'.repeat(500)).length, 80)
  t.is(factOf('abc', 2), 'ab')
  t.is(factOf(null), 'null')
  t.is(factOf({ toString: 1, valueOf: 2 }), 'object')
  fc.assert(fc.property(fc.anything(), value => t.true(factOf(value).length <= 80)))
})
