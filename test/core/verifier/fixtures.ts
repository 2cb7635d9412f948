import { randomBytes } from 'node:crypto'
import { createChallenge } from '../../../src/core/verifier/challenge.ts'
import {
  verifyAttestationKey,
  type AttestationKey,
} from '../../../src/core/verifier/attestation-key.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import {
  verifyEndorsementKey,
  type EndorsementKey,
} from '../../../src/core/verifier/endorsement-key.ts'
import {
  parseEvidence,
  verifyEvidence,
  type EvidenceInput,
  type VerifiedEvidence,
} from '../../../src/core/verifier/evidence.ts'
import { answerChallenge, type AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import type { EmulatedTpm, EmulatedTpmOptions } from '../../../swtpm/emulated/emulated-tpm.ts'
import { createTestTpm, type TestTpm } from '../../support/emulated-tpm.ts'

export const now = Date.UTC(2026, 10, 1)
export const audience = 'https://assay.example'
const pcrSelection = { sha256: [0, 1, 2, 3, 4, 5, 6, 7] }

/** An enrolment up to its challenge, verified by the core as the service does it. */
export interface Enrollment extends TestTpm {
  readonly endorsementKey: EndorsementKey
  readonly attestationKey: AttestationKey
  readonly secret: Uint8Array
  readonly challenge: Parameters<typeof answerChallenge>[1]
}

export function beginEnrollment(options: Partial<EmulatedTpmOptions> = {}): Enrollment {
  const test = createTestTpm(now, options)
  const endorsementKey = verifyEndorsementKey({
    ...test.keys.endorsementKey,
    anchors: [test.anchor],
    now: new Date(now),
  })
  const attestationKey = verifyAttestationKey(test.keys.attestationKey)
  const secret = randomBytes(32)
  const random = (length: number): Uint8Array => randomBytes(length)
  const credential = createChallenge({ endorsementKey, attestationKey, secret, random })
  const nonce = randomBytes(32)
  const challenge = { id: 'enrolment', nonce, audience, pcrSelection, ...credential }
  return { ...test, endorsementKey, attestationKey, secret, challenge }
}

/** Answers as the host would, with what a forger changes. */
export function answer(enrollment: Enrollment, edit: AnswerEdit = {}): EvidenceInput {
  const { key: _key, ...input } = answerChallenge(enrollment.tpm, enrollment.challenge, edit)
  return input
}

/** Holds an answer against its enrolment. */
export function verify(enrollment: Enrollment, input: EvidenceInput): VerifiedEvidence {
  const { endorsementKey, attestationKey, secret, challenge } = enrollment
  return verifyEvidence(parseEvidence(input), {
    endorsementKey,
    attestationKey,
    secret,
    audience,
    enrollmentId: challenge.id,
    nonce: challenge.nonce,
    pcrSelection,
  })
}

/** The code with which something is refused; rethrows what is no refusal of evidence. */
export function refusalOf(run: () => unknown): string {
  try {
    run()
  } catch (cause) {
    if (cause instanceof EvidenceError) return cause.code
    throw cause
  }
  return 'accepted'
}

export type { EmulatedTpm }
