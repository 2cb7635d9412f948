import test from 'ava'
import {
  encodeEnvelope,
  envelopeSha256,
  parseEnvelope,
} from '../../../src/core/formats/envelope.ts'
import { tpm2Format } from '../../../src/core/formats/tpm2/format.ts'
import { tpmEvidence } from './tpm2-fixtures.ts'

const bytes = (...values: number[]): Uint8Array => Buffer.from(values)
const evidence = tpmEvidence

const code = 'evidence-unreadable'

test('kept evidence comes back whole', t => {
  for (const one of [
    evidence,
    { ...evidence, eventLog: null, imaLog: bytes(14) },
    { ...evidence, endorsementKey: { ...evidence.endorsementKey, certificate: null, chain: [] } },
  ])
    t.deepEqual(parseEnvelope(tpm2Format, encodeEnvelope(tpm2Format, one)), one)
})

test('its digest changes with every part', t => {
  const digests = [
    evidence,
    { ...evidence, csr: bytes(99) },
    { ...evidence, eventLog: null },
    { ...evidence, imaLog: bytes() },
    { ...evidence, pcrs: { sha256: {} } },
  ].map(one => envelopeSha256(encodeEnvelope(tpm2Format, one)))
  t.is(new Set(digests).size, digests.length)
})

test('a wrapper is read by others: records with media types, each marked as evidence', t => {
  const json = JSON.parse(Buffer.from(encodeEnvelope(tpm2Format, evidence)).toString()) as object
  t.deepEqual(Object.keys(json), ['__cmwc_t', 'tpm2', 'event-log'])
  const [type, , indicator] = (json as { tpm2: unknown[] }).tpm2
  t.deepEqual([type, indicator], ['application/vnd.assay.tpm2+json', 4])
})

test('refuses what is not exactly what was written', t => {
  const kept = Buffer.from(encodeEnvelope(tpm2Format, evidence))
  const text = kept.toString()
  const mutants = [
    kept.subarray(0, -1),
    Buffer.from(`${text} `),
    Buffer.from(text.replace('tag:assay,2026:tpm2', 'tag:assay,2026:tpm3')),
    Buffer.from(text.replace('"event-log"', '"extra-log"')),
    Buffer.from(text.replace('assay.tpm2+json', 'assay.tpm3+json')),
    Buffer.from('{}'),
    Buffer.alloc(0),
  ]
  for (const mutant of mutants) t.throws(() => parseEnvelope(tpm2Format, mutant), { code })
  t.notThrows(() => parseEnvelope(tpm2Format, kept))
})
