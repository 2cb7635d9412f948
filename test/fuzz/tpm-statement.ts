import { verifyTpmAttestation } from '../../src/core/webauthn/tpm-attestation.ts'
import { expected } from '../core/webauthn/fixtures.ts'
import { codeOf } from './coded.ts'

/** Presents any bytes as an attestation object of format `tpm`. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => verifyTpmAttestation(bytes, expected))
}
