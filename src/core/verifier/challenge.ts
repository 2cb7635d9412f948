import { makeCredential, type ProtectedCredential } from '../tpm/make-credential.ts'
import type { AttestationKey } from './attestation-key.ts'
import type { EndorsementKey } from './endorsement-key.ts'

/** What a challenge is made of. Both keys were checked: nothing is challenged that could not be admitted. */
export interface ChallengeInput {
  readonly endorsementKey: EndorsementKey
  readonly attestationKey: AttestationKey
  /** 32 unpredictable bytes, used for this challenge alone. */
  readonly secret: Uint8Array
  /** Gives that many unpredictable bytes. */
  readonly random: (length: number) => Uint8Array
}

/**
 * Protects the secret so that only a TPM that holds the endorsement key beside an object with the attestation key's
 * Name gets it back. The Name says fixedTPM, which no object has that was loaded from outside (verification C2).
 *
 * @see TPM 2.0 Part 1 r01.59 §24; verification C1 to C3
 */
export function createChallenge(input: ChallengeInput): ProtectedCredential {
  const { endorsementKey, attestationKey, secret, random } = input
  return makeCredential(endorsementKey.area, attestationKey.name, secret, random)
}
