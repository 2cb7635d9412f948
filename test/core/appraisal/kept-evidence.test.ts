import test from 'ava'
import {
  encodeKeptEvidence,
  keptEvidenceSha256,
  parseKeptEvidence,
  type TpmEvidence,
} from '../../../src/core/appraisal/kept-evidence.ts'

const bytes = (...values: number[]): Uint8Array => Buffer.from(values)
const signed = { attest: bytes(1), signature: bytes(2) }

const evidence: TpmEvidence = {
  endorsementKey: { public: bytes(3), certificate: bytes(4), chain: [bytes(5), bytes(6)] },
  attestationKey: { public: bytes(7) },
  activation: bytes(8),
  quote: signed,
  pcrs: { sha256: { 7: 'a1'.repeat(32), 10: 'b2'.repeat(32) } },
  subjectKey: {
    public: bytes(9),
    parent: { public: bytes(10), hierarchy: 'owner' },
    certify: signed,
  },
  csr: bytes(11),
  eventLog: bytes(12, 13),
  imaLog: null,
}

const code = 'attestation-not-kept'

test('kept evidence comes back whole', t => {
  for (const one of [
    evidence,
    { ...evidence, eventLog: null, imaLog: bytes(14) },
    { ...evidence, endorsementKey: { ...evidence.endorsementKey, certificate: null, chain: [] } },
  ])
    t.deepEqual(parseKeptEvidence(encodeKeptEvidence(one)), one)
})

test('its digest changes with every part', t => {
  const digests = [
    evidence,
    { ...evidence, csr: bytes(99) },
    { ...evidence, eventLog: null },
    { ...evidence, imaLog: bytes() },
    { ...evidence, pcrs: { sha256: {} } },
  ].map(one => keptEvidenceSha256(encodeKeptEvidence(one)))
  t.is(new Set(digests).size, digests.length)
})

test('a wrapper is read by others: records with media types, each marked as evidence', t => {
  const json = JSON.parse(Buffer.from(encodeKeptEvidence(evidence)).toString()) as object
  t.deepEqual(Object.keys(json), ['__cmwc_t', 'tpm2', 'event-log'])
  const [type, , indicator] = (json as { tpm2: unknown[] }).tpm2
  t.deepEqual([type, indicator], ['application/vnd.assay.tpm2+json', 4])
})

test('refuses what is not exactly what was written', t => {
  const kept = Buffer.from(encodeKeptEvidence(evidence))
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
  for (const mutant of mutants) t.throws(() => parseKeptEvidence(mutant), { code })
  t.notThrows(() => parseKeptEvidence(kept))
})
