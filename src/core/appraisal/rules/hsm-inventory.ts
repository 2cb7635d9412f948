import { affirmed, contraindicated, type Finding } from '../finding.ts'
import type { HsmSubject } from '../subject.ts'

/** Which HSMs may be there at all: their serial numbers, by maker, as an inventory has them. */
export interface HsmInventoryRule {
  readonly kind: 'hsm-inventory'
  readonly id: string
  /** By the name of a vendor's attestation, or the manufacturer as tokens say. */
  readonly serials: Readonly<Record<string, readonly string[]>>
}

/** See {@link HsmInventoryRule}. A verdict is shown to many, so it has no serial number. */
export function appraiseHsmInventory(
  { serials }: HsmInventoryRule,
  { hsm: { vendor, token } }: HsmSubject,
): Finding {
  const known = Object.hasOwn(serials, vendor) ? serials[vendor] : undefined
  const expected = 'a token of the inventory'
  return known?.includes(token.serial) === true
    ? affirmed(undefined, expected)
    : contraindicated('a token that is not in the inventory', expected)
}
