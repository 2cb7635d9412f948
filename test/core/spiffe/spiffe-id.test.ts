import test from 'ava'
import * as fc from 'fast-check'
import { encodeSpiffeId, isTrustDomain, parseSpiffeId } from '../../../src/core/spiffe/spiffe-id.ts'

const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/).filter(s => s !== '.' && s !== '..')
const trustDomain = fc.stringMatching(/^[a-z0-9._-]{1,40}$/)

test('an id of any valid parts reads back to the same parts', t => {
  fc.assert(
    fc.property(trustDomain, fc.array(segment, { minLength: 1, maxLength: 6 }), (domain, parts) => {
      const id = { trustDomain: domain, segments: parts }
      t.deepEqual(parseSpiffeId(encodeSpiffeId(id)), id)
    }),
  )
})

const malformed = [
  '',
  'spiffe://',
  'spiffe://example.org',
  'spiffe://example.org/',
  'spiffe:///host',
  'spiffe://example.org//host',
  'spiffe://example.org/host/',
  'spiffe://example.org/./host',
  'spiffe://example.org/host/..',
  'spiffe://Example.org/host',
  'SPIFFE://example.org/host',
  'https://example.org/host',
  'spiffe://user@example.org/host',
  'spiffe://example.org:443/host',
  'spiffe://example.org/host?x=1',
  'spiffe://example.org/host#x',
  'spiffe://example.org/h%6fst',
  'spiffe://example.org/hóst',
  'spiffe://exämple.org/host',
  'spiffe://example.org/host\n',
  ' spiffe://example.org/host',
  `spiffe://${'a'.repeat(256)}/host`,
  `spiffe://example.org/${'a'.repeat(2048)}`,
]

for (const text of malformed) {
  test(`refuses ${JSON.stringify(text.slice(0, 40))} as a SPIFFE ID`, t => {
    t.throws(() => parseSpiffeId(text), { code: 'spiffe-id-malformed' })
  })
}

test('any text is an id that encodes to itself, or refused by its code', t => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^spiffe:\/\/.*$/)), text => {
      try {
        t.is(encodeSpiffeId(parseSpiffeId(text)), text)
      } catch (error) {
        t.like(error, { code: 'spiffe-id-malformed' })
      }
    }),
  )
})

test('an id that could not be read back is not written', t => {
  for (const [domain, segments] of [
    ['Example.org', ['host']],
    ['example.org', []],
    ['example.org', ['a/b']],
    ['example.org', ['..']],
    ['example.org', ['']],
  ] as const)
    t.throws(() => encodeSpiffeId({ trustDomain: domain, segments }), { instanceOf: TypeError })
})

test('a trust domain is lower-case letters, digits, dots, dashes and underscores', t => {
  t.true(isTrustDomain('prod_1.example-a.org'))
  for (const text of ['', 'A', 'a b', 'a/b', 'a:1', 'ü', 'a'.repeat(256)])
    t.false(isTrustDomain(text))
})
