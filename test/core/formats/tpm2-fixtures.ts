import type { TpmEvidence } from '../../../src/core/formats/tpm2/evidence.ts'

const bytes = (...values: number[]): Uint8Array => Buffer.from(values)
const signed = { attest: bytes(1), signature: bytes(2) }

/** Evidence of which each part is another byte; nothing in it would verify. */
export const tpmEvidence: TpmEvidence = {
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
