import type { CheckCode } from './check-table.ts'

/**
 * Beginnings of the codes of checks over bytes that a device keeps for life, or for every service that asks: its
 * endorsement key with certificate and path (intermediates may be of one machine alone), attestation keys and their
 * certificates, the storage root. A digest of them names the device wherever it is seen.
 */
const families: readonly string[] = ['ek-', 'ak-', 'aik-', 'path-', 'subject-parent', 'hsm-']

/**
 * Whether a digest of the bytes that a check looked at would identify the device. Such a digest stands in no verdict:
 * the digest of the whole Evidence, in which the nonce is, covers the same bytes and links nothing.
 *
 * @see verification V1, E16
 */
export function identifiesDevice(code: CheckCode): boolean {
  return families.some(family => code.startsWith(family))
}
