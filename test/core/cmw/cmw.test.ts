import test from 'ava'
import { assert, property, uint8Array } from 'fast-check'
import { encodeCmwCollection, parseCmwCollection } from '../../../src/core/cmw/cmw.ts'

const code = 'cmw-malformed'
const parse = (json: unknown): unknown => parseCmwCollection(Buffer.from(JSON.stringify(json)))
const record = ['application/octet-stream', 'AQI', 4]

test('a collection comes back as it was written', t => {
  const records = new Map([
    ['a', { type: 'application/vnd.x+json', value: Buffer.from('{}'), indicator: 4 }],
    ['b', { type: 'text/plain; charset=utf-8', value: Buffer.alloc(0), indicator: 0 }],
  ])
  const bytes = encodeCmwCollection({ type: 'tag:x,2026:y', records })
  const { type, records: found } = parseCmwCollection(bytes)
  t.is(type, 'tag:x,2026:y')
  t.deepEqual([...found.keys()], ['a', 'b'])
  t.is(found.get('a')?.indicator, 4)
  t.deepEqual(Buffer.from(found.get('a')?.value ?? []), Buffer.from('{}'))
  t.deepEqual(encodeCmwCollection({ type, records: found }), bytes)
})

test('the collection of RFC 9999 is written as the RFC writes it', t => {
  const json = {
    __cmwc_t: 'tag:ietf.org,2024:X',
    'attester A': ['application/eat-ucs+json', 'e30K', 4],
  }
  const bytes = Buffer.from(JSON.stringify(json))
  t.deepEqual(Buffer.from(encodeCmwCollection(parseCmwCollection(bytes))), bytes)
})

const refused: Readonly<Record<string, unknown>> = {
  'an array': [],
  'no type': { a: record },
  'an empty type': { __cmwc_t: '', a: record },
  'no record': { __cmwc_t: 'x' },
  'a record that is an object': { __cmwc_t: 'x', a: {} },
  'a record of one member': { __cmwc_t: 'x', a: ['text/plain'] },
  'a record of four members': { __cmwc_t: 'x', a: [...record, 1] },
  'a type that is no media type': { __cmwc_t: 'x', a: ['plain', 'AQI'] },
  'a value with padding': { __cmwc_t: 'x', a: ['text/plain', 'AQI='] },
  'a value that is a number': { __cmwc_t: 'x', a: ['text/plain', 1] },
  'an indicator with an unknown bit': { __cmwc_t: 'x', a: ['text/plain', 'AQI', 32] },
  'an indicator that is a fraction': { __cmwc_t: 'x', a: ['text/plain', 'AQI', 1.5] },
  'more records than are read': {
    __cmwc_t: 'x',
    ...Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`r${n}`, record])),
  },
}

for (const [name, json] of Object.entries(refused)) {
  test(`refuses ${name}`, t => {
    t.throws(() => parse(json), { code })
  })
}

test('a record beside those that are refused is accepted', t => {
  t.notThrows(() => parse({ __cmwc_t: 'x', a: record }))
})

test('any bytes give a collection or the coded error', t => {
  const isRefused = property(uint8Array({ maxLength: 200 }), bytes => {
    const error = t.throws(() => parseCmwCollection(bytes), { code })
    return error !== undefined
  })
  t.notThrows(() => assert(isRefused, { numRuns: 200 }))
  t.throws(() => parseCmwCollection(Buffer.from('{"__cmwc_t":"x"')), { code })
  t.throws(() => parseCmwCollection(Buffer.from([0xff, 0xfe])), { code })
})
