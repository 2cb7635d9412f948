import test from 'ava'
import * as fc from 'fast-check'
import { encodeAuditEntry, parseAuditEntry } from '../../../src/core/log/audit-entry.ts'
import { encodeCanonicalJson } from '../../../src/core/log/canonical-json.ts'
import { hex } from './bytes.ts'

const act = {
  type: 'host.enrolled',
  time: 1_790_000_000_000,
  actor: 'enrollment/1',
  subject: 'spiffe://assay.example/host/1',
  detail: { name: 'metal', checks: 12, nested: { b: [true, null], a: '€\u2028"' } },
}

test('an entry has one form: sorted members, no white space, its version', t => {
  t.is(
    encodeAuditEntry(act),
    '{"actor":"enrollment/1","detail":{"checks":12,"name":"metal","nested":{"a":"€\u2028\\"","b":[true,null]}},' +
      '"subject":"spiffe://assay.example/host/1","time":1790000000000,"type":"host.enrolled","version":1}',
  )
})

test('members sort by UTF-16 code units and strings escape as RFC 8785 says', t => {
  // RFC 8785 §3.2.3, with the control character of §3.2.2.2.
  const value = { '€': 1, '\r': 2, '\uFB33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: '\u000F\n' }
  t.is(
    encodeCanonicalJson(value),
    '{"\\r":2,"1":4,"\u0080":6,"ö":"\\u000f\\n","€":1,"😀":5,"\uFB33":3}',
  )
})

const safe: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

test('every entry parses back to itself', t => {
  const details = fc.dictionary(fc.string(), safe, { maxKeys: 4, noNullPrototype: true })
  fc.assert(
    fc.property(details, detail => {
      fc.pre(Object.values(detail).every(value => !Object.is(value, -0)))
      let text: string
      try {
        text = encodeAuditEntry({ ...act, detail })
      } catch {
        return
      }
      t.deepEqual(encodeAuditEntry(parseAuditEntry(Buffer.from(text))), text)
    }),
  )
})

test('refuses what JSON would change in silence', t => {
  class Fact {
    readonly a: number = 1
  }
  let deep: unknown = 1
  for (let i = 0; i < 20; i += 1) deep = [deep]
  const wrong = [
    undefined,
    1.5,
    -0,
    Number.NaN,
    2 ** 53,
    1n,
    Symbol.iterator,
    () => 1,
    '\uD800',
    new Date(0),
    new Uint8Array(1),
    new Fact(),
    new Map(),
    deep,
  ]
  for (const value of wrong)
    t.throws(() => encodeAuditEntry({ ...act, detail: { value } }), { code: 'entry-unencodable' })
})

test('refuses an entry that is too large, and takes the largest', t => {
  const overhead = encodeAuditEntry({ ...act, detail: { x: '' } }).length
  const fits = { ...act, detail: { x: 'x'.repeat(65_535 - overhead) } }
  t.is(encodeAuditEntry(fits).length, 65_535)
  const large = { ...act, detail: { x: 'x'.repeat(65_536 - overhead) } }
  t.throws(() => encodeAuditEntry(large), { code: 'entry-too-large' })
  const wide = { ...act, detail: { x: '€'.repeat(22_000) } }
  t.throws(() => encodeAuditEntry(wide), { code: 'entry-too-large' })
})

test('refuses every other spelling of an entry', t => {
  const text = encodeAuditEntry(act)
  const wrong = [
    '',
    'null',
    '[]',
    '{}',
    text.slice(0, -1),
    ` ${text}`,
    `${text}\n`,
    `\uFEFF${text}`,
    text.replace('"version":1', '"version":2'),
    text.replace(',"version":1', ''),
    text.replace('"version":1', '"version":1,"zeal":1'),
    text.replace('"checks":12', '"checks":12.0'),
    text.replace('"checks":12', '"checks":12,"checks":12'),
    text.replace('"checks":12', '"checks":1.2'),
    text.replace('1790000000000', '"1790000000000"'),
    text.replace('metal', '\\u006detal'),
    '['.repeat(65_000),
  ]
  for (const entry of wrong)
    t.throws(
      () => parseAuditEntry(Buffer.from(entry)),
      { code: 'entry-malformed' },
      entry.slice(0, 99),
    )
  t.throws(() => parseAuditEntry(hex('ff')), { code: 'entry-malformed' })
})
