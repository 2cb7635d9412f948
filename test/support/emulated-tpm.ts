import { EmulatedTpm, type EmulatedTpmOptions } from '../../swtpm/emulated/emulated-tpm.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import { parseTrustAnchor, type TrustAnchor } from '../../src/core/verifier/trust-anchor.ts'

/** A TPM in this process with the anchor that its manufacturer is admitted by. */
export interface TestTpm {
  readonly tpm: EmulatedTpm
  readonly manufacturer: EmulatedManufacturer
  readonly anchor: TrustAnchor
  /** What the first call of an enrolment carries beside a name; bytes. */
  readonly keys: {
    readonly endorsementKey: {
      readonly public: Uint8Array
      readonly certificate: Uint8Array
      readonly chain: readonly Uint8Array[]
    }
    readonly attestationKey: { readonly public: Uint8Array }
  }
}

/**
 * Founds a manufacturer (or takes one) and makes a TPM of it.
 *
 * @param now Unix milliseconds at which its certificates are good
 */
export function createTestTpm(now: number, options: Partial<EmulatedTpmOptions> = {}): TestTpm {
  const manufacturer = options.manufacturer ?? createEmulatedManufacturer(now)
  const tpm = new EmulatedTpm({ ...options, manufacturer })
  const labels = { name: 'emulated', vendor: manufacturer.vendor, assurance: 'emulated' } as const
  return {
    tpm,
    manufacturer,
    anchor: parseTrustAnchor(manufacturer.root.certificate, labels, new Date(now)),
    keys: {
      endorsementKey: {
        public: tpm.endorsementKey.public,
        certificate: tpm.endorsementCertificate,
        chain: [manufacturer.issuer.certificate],
      },
      attestationKey: { public: tpm.attestationKey.public },
    },
  }
}
