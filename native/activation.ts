import type { ActivateCredentialArguments } from './commands.ts'
import { HashAlgorithm, Hierarchy } from './constants.ts'
import type { Tpm } from './tpm.ts'

/** How the endorsement key is authorised. */
export interface EndorsementAuthorization {
  /** The nameAlg of the endorsement key: SHA-256 unless said otherwise. */
  readonly nameAlg?: number
  /** The authValue of the endorsement hierarchy, where its owner has set one. */
  readonly endorsementAuth?: Uint8Array
  /**
   * Branches of the PolicyOR of the high-range templates (PolicyB = PolicyA or PolicyC, TCG EK Credential Profile 2.5
   * §B.6); absent for the low-range ones, whose policy is PolicyA itself.
   */
  readonly policyOr?: readonly Uint8Array[]
}

/**
 * TPM2_ActivateCredential with an endorsement key's own policy: PolicySecret(endorsement), then PolicyOR if the template
 * has it. The policy session is flushed on every path.
 *
 * A high-range key can also be used with `tpm.activateCredential` alone: it has userWithAuth and an empty authValue.
 *
 * @returns the secret; give `protection` so that it does not cross the bus in clear
 * @throws {Tpm2Error} tpm-policy-failed when nameAlg or branches are not those of the key, tpm-refused when the
 *   credential is not for these keys (TPM_RC_INTEGRITY, TPM_RC_VALUE, TPM_RC_SIZE)
 */
export async function activateWithEndorsementPolicy(
  tpm: Tpm,
  args: Omit<ActivateCredentialArguments, 'keyAuth' | 'keySession'>,
  { nameAlg = HashAlgorithm.sha256, endorsementAuth, policyOr }: EndorsementAuthorization = {},
): Promise<Uint8Array> {
  await using session = await tpm.startPolicySession(nameAlg)
  await tpm.policySecret({
    session,
    authority: Hierarchy.endorsement,
    ...(endorsementAuth === undefined ? {} : { authorityAuth: endorsementAuth }),
    ...(args.protection === undefined ? {} : { protection: args.protection }),
  })
  if (policyOr !== undefined) await tpm.policyOr(session, policyOr)
  return await tpm.activateCredential({ ...args, keySession: session })
}
