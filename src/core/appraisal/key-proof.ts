import type { PolicyDocument } from './policy.ts'

/** How old the proof of a key may be that a certificate is renewed for, by the kind of hardware. */
export interface KeyProofRule {
  readonly tpmMaxSeconds: number
  /** HSMs count no restarts, so that nothing but age tells of a proof that it is stale. */
  readonly hsmMaxSeconds: number
}

/** What holds under a policy that says nothing of it: thirty days, and seven. */
export const defaultKeyProof: KeyProofRule = {
  tpmMaxSeconds: 30 * 86_400,
  hsmMaxSeconds: 7 * 86_400,
}

/**
 * When the proof of a key stops carrying renewals under a policy, Unix milliseconds. A renewal shows that the key is
 * still where it was; that it was born there, and whom it is for, its host has said with the proof.
 *
 * @param provenAt Unix milliseconds; null where nobody knows, which is too long ago
 */
export function keyProofEnd(
  { keyProof = defaultKeyProof }: Pick<PolicyDocument, 'keyProof'>,
  hardware: 'tpm' | 'hsm',
  provenAt: number | null,
): number {
  const { tpmMaxSeconds, hsmMaxSeconds } = keyProof
  const seconds = hardware === 'tpm' ? tpmMaxSeconds : hsmMaxSeconds
  return provenAt === null ? 0 : provenAt + seconds * 1000
}
