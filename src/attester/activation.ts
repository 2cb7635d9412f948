import {
  activateWithEndorsementPolicy,
  Tpm2Error,
  type Tpm,
  type TpmHandle,
} from '../../native/index.ts'
import { isEqual } from '../core/bytes/equal.ts'
import { TPMA_OBJECT } from '../core/tpm/attributes.ts'
import type { ProtectedCredential } from '../core/tpm/make-credential.ts'
import { nameOf } from '../core/tpm/public.ts'
import type { Endorsement } from './endorsement.ts'
import { AttesterError } from './error.ts'
import { explainAuthorization } from './primary-key.ts'

/** A credential, and the two keys that it must be for. */
export interface ActivationRequest {
  readonly endorsement: Endorsement
  readonly attestationKey: TpmHandle
  readonly credential: ProtectedCredential
  /** The authValue of the endorsement hierarchy, where the TPM's owner has set one. */
  readonly auth?: Uint8Array | undefined
}

/**
 * Recovers the secret of a challenge. It crosses the bus encrypted, in a session salted with the very key that the
 * certificate is for: its Name is compared, so nothing between this process and the TPM can take its place.
 *
 * @throws AttesterError `salt-key-differs`, `challenge-unsolvable`, `endorsement-authorization`; Tpm2Error
 * @see TPM 2.0 Part 3 r01.59 §12.5; verification C1
 */
export async function activateCredential(
  tpm: Tpm,
  { endorsement, attestationKey, credential, auth }: ActivationRequest,
): Promise<Uint8Array> {
  const { handle, area } = endorsement
  if (!isEqual(handle.name, nameOf(endorsement.public))) throw new AttesterError('salt-key-differs')
  const request = { activate: attestationKey, key: handle, protection: handle, ...credential }
  return await explainChallenge(async () => {
    // A high-range key is used by its own, empty authValue; a low-range one by its policy alone.
    if ((area.objectAttributes & TPMA_OBJECT.userWithAuth) !== 0) {
      return await tpm.activateCredential(request)
    }
    return await explainAuthorization('endorsement', async () => {
      const endorsementAuth = auth === undefined ? {} : { endorsementAuth: auth }
      return await activateWithEndorsementPolicy(tpm, request, {
        nameAlg: area.nameAlg,
        ...endorsementAuth,
      })
    })
  })
}

/** TPM_RC of a credential for another key: integrity, size, value, and a point that is not on the curve. */
const unsolvable = ['TPM_RC_INTEGRITY', 'TPM_RC_SIZE', 'TPM_RC_VALUE', 'TPM_RC_ECC_POINT']

async function explainChallenge<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Tpm2Error) || !unsolvable.includes(cause.symbol ?? '')) throw cause
    throw new AttesterError('challenge-unsolvable', { found: cause.text, cause })
  }
}
