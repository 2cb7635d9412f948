import { randomBytes } from 'node:crypto'
import type { TpmsAttest } from '../../../src/core/tpm/attest.ts'
import { verifyAttestationKey } from '../../../src/core/verifier/attestation-key.ts'
import {
  verifySubjectKey,
  type SubjectKeyEvidence,
} from '../../../src/core/verifier/subject-key.ts'
import { proveKey, type AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import { createTestTpm } from '../../support/emulated-tpm.ts'
import { audience, now, refusalOf } from './fixtures.ts'

/** One TPM for all tests of a file. */
export const { tpm } = createTestTpm(now)
export const attestationKey = verifyAttestationKey(tpm.attestationKey)
const contextId = 'agent-1'

/** What a host sends for a key of an agent, with what a forger changes before it is signed. */
export function subjectEvidence(edit: AnswerEdit = {}, of = tpm): SubjectKeyEvidence {
  const nonce = randomBytes(32)
  const { subjectKey, csr } = proveKey(of, contextId, { nonce, audience }, edit)
  const { certify, ...rest } = subjectKey
  const context = { nonce, audience, purpose: 'agent', contextId } as const
  return { attestationKey, ...rest, ...certify, csr, ...context }
}

/** How a key is refused; `change` is made to what was sent, after it was signed. */
export function refusalOfKey(
  edit: AnswerEdit = {},
  change: Partial<SubjectKeyEvidence> = {},
): string {
  return refusalOf(() => verifySubjectKey({ ...subjectEvidence(edit), ...change }))
}

/** How a key is refused whose certification is changed before it is signed. */
export function refusalOfCertify(change: (attest: TpmsAttest) => TpmsAttest): string {
  return refusalOfKey({ certify: { attest: change } })
}
