import { createHash } from 'node:crypto'
import type { CreatedPrimary, Tpm } from '../../native/index.ts'
import { lengthPrefixed } from '../core/bytes/encode.ts'
import { attestationKeyTemplate } from '../core/tpm/templates.ts'
import { createPrimaryKey, type PrimaryKeyOptions } from './primary-key.ts'

/** The service that an attestation key is for. */
export interface Audience {
  readonly issuer: string
  /** `sha256:` and the hex digest of its root certificate. */
  readonly fingerprint: string
}

/**
 * What sets the attestation key for one service apart from the one for another: services that compare notes cannot
 * see that two of their hosts are one. 32 bytes.
 *
 * @see verification V1
 */
export function attestationSalt({ issuer, fingerprint }: Audience): Uint8Array {
  const fields = lengthPrefixed(['assay/attestation-key/v1', issuer, fingerprint])
  return createHash('sha256').update(fields).digest()
}

/**
 * Makes the attestation key for a service: always the same one, a primary of the endorsement hierarchy, kept nowhere.
 *
 * @throws AttesterError `endorsement-authorization`; Tpm2Error
 */
export async function createAttestationKey(
  tpm: Tpm,
  audience: Audience,
  options: PrimaryKeyOptions = {},
): Promise<CreatedPrimary> {
  const template = attestationKeyTemplate(attestationSalt(audience))
  return await createPrimaryKey(tpm, 'endorsement', template, options)
}
