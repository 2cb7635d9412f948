import { generateKeyPairSync, sign } from 'node:crypto'
import test from 'ava'
import * as fc from 'fast-check'
import { encodeCmwCollection, parseCmwCollection } from '../../../src/core/cmw/cmw.ts'
import {
  encodeEnvelope,
  envelopeSha256,
  parseEnvelope,
} from '../../../src/core/formats/envelope.ts'
import type { FormatExpectations } from '../../../src/core/formats/evidence-format.ts'
import { tpm2Format } from '../../../src/core/formats/tpm2/format.ts'
import { fuzz } from '../../fuzz/evidence-envelope.ts'
import { mutated } from '../../fuzz/mutated.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import { madeFormat, type MadeEvidence } from './made-format.ts'
import { tpmEvidence } from './tpm2-fixtures.ts'

const code = 'evidence-unreadable'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const nonce = Buffer.alloc(32, 7)
const made: MadeEvidence = {
  spki: publicKey.export({ format: 'der', type: 'spki' }),
  signature: sign('sha256', nonce, privateKey),
}
const expected: FormatExpectations = {
  anchors: [],
  intermediates: [],
  revocation: { lists: [], responses: [] },
  endorsementPolicy: {},
  challenge: {
    audience: 'https://assay.example',
    enrollmentId: 'enrolment',
    nonce,
    secret: new Uint8Array(),
    pcrs: [],
  },
  now: new Date(0),
}

test('another kind of hardware is kept, read back and verified by its own row alone', t => {
  const kept = encodeEnvelope(madeFormat, made)
  const evidence = parseEnvelope(madeFormat, kept)
  t.deepEqual(evidence, { spki: made.spki, signature: made.signature })
  t.true(madeFormat.verify(evidence, expected).equals(publicKey))
  const other = { ...expected.challenge, nonce: Buffer.alloc(32) }
  const verify = (): unknown => madeFormat.verify(evidence, { ...expected, challenge: other })
  t.is(refusalOf(verify), 'certify-signature')
})

test('evidence of one format is not read as another', t => {
  const kept = encodeEnvelope(madeFormat, made)
  t.throws(() => parseEnvelope(tpm2Format, kept), { code })
  t.throws(() => parseEnvelope(madeFormat, encodeEnvelope(tpm2Format, tpmEvidence)), { code })
  t.notThrows(() => parseEnvelope(madeFormat, kept))
})

test('a record that is missing, of another type, not marked as evidence, or one too many is refused', t => {
  const { type, records } = parseCmwCollection(encodeEnvelope(madeFormat, made))
  const record = { type: madeFormat.mediaType, value: made.spki, indicator: 4 }
  t.deepEqual(records.get('made'), record)
  const read = (change: readonly [string, typeof record][]): unknown =>
    parseEnvelope(
      madeFormat,
      encodeCmwCollection({ type, records: new Map([...records, ...change]) }),
    )
  t.notThrows(() => read([]))
  t.throws(() => read([['made', { ...record, type: 'application/json' }]]), { code })
  t.throws(() => read([['made', { ...record, indicator: 2 }]]), { code })
  t.throws(() => read([['made', { ...record, indicator: 0 }]]), { code })
  t.throws(() => read([['more', record]]), { code })
  const missing = new Map([...records].filter(([label]) => label !== 'signature'))
  t.throws(() => parseEnvelope(madeFormat, encodeCmwCollection({ type, records: missing })), {
    code,
  })
})

test('any bytes are what was written, or are refused by the code', t => {
  const seeds = [encodeEnvelope(tpm2Format, tpmEvidence)]
  for (const seed of seeds) t.is(fuzz(seed), undefined)
  const property = fc.property(fc.oneof(fc.uint8Array(), mutated(seeds)), bytes => {
    const found = fuzz(bytes)
    t.true(found === code || (found === undefined && isWritten(bytes)))
  })
  fc.assert(property, { numRuns: 1500 })
})

/** What is read is written as the same bytes again, so that its digest names it. */
function isWritten(bytes: Uint8Array): boolean {
  const again = encodeEnvelope(tpm2Format, parseEnvelope(tpm2Format, bytes))
  return envelopeSha256(again) === envelopeSha256(bytes)
}
