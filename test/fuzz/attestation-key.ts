import { verifyAttestationKey } from '../../src/core/verifier/attestation-key.ts'
import { codeOf } from './coded.ts'

/** Presents any bytes as an attestation key. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => verifyAttestationKey({ public: bytes }))
}
