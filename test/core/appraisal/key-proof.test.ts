import test from 'ava'
import { defaultKeyProof, keyProofEnd } from '../../../src/core/appraisal/key-proof.ts'

const provenAt = 1_790_000_000_000

test('a proof carries renewals for as long as the policy says of its kind of hardware', t => {
  const keyProof = { tpmMaxSeconds: 3600, hsmMaxSeconds: 60 }
  t.is(keyProofEnd({ keyProof }, 'tpm', provenAt), provenAt + 3_600_000)
  t.is(keyProofEnd({ keyProof }, 'hsm', provenAt), provenAt + 60_000)
})

test('a policy that says nothing gives a TPM thirty days, and an HSM seven', t => {
  t.is(keyProofEnd({}, 'tpm', provenAt), provenAt + 30 * 86_400_000)
  t.is(keyProofEnd({}, 'hsm', provenAt), provenAt + 7 * 86_400_000)
  t.deepEqual(defaultKeyProof, { tpmMaxSeconds: 2_592_000, hsmMaxSeconds: 604_800 })
})

test('a proof of which nobody knows when it was is over', t => {
  for (const hardware of ['tpm', 'hsm'] as const) t.is(keyProofEnd({}, hardware, null), 0)
})
