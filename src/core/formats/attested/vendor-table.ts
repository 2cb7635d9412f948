import type { AttestationVendor } from './vendor.ts'
import { yubihsm2 } from './vendors/yubihsm2.ts'
import { yubikeyPiv } from './vendors/yubikey-piv.ts'

/** The vendors whose key attestations are known here. */
export const attestationVendors: readonly AttestationVendor[] = [yubihsm2, yubikeyPiv]

/** The vendor of a name; undefined for one that is not known: nothing is sniffed. */
export function attestationVendorOf(id: string): AttestationVendor | undefined {
  return attestationVendors.find(vendor => vendor.id === id)
}
