import { compareVersions } from '../../formats/attested/firmware.ts'
import { affirmed, contraindicated, type Finding } from '../finding.ts'
import type { HsmSubject } from '../subject.ts'

/** The oldest firmware of HSMs that is accepted, by maker. */
export interface HsmFirmwareMinimumRule {
  readonly kind: 'hsm-firmware-minimum'
  readonly id: string
  /** By the name of a vendor's attestation (`yubihsm2`), or the manufacturer as tokens say: dotted version. */
  readonly vendors: Readonly<Record<string, string>>
  /** What becomes of makers that are not named. */
  readonly others: 'accept' | 'refuse'
}

/** See {@link HsmFirmwareMinimumRule}. */
export function appraiseHsmFirmwareMinimum(
  rule: HsmFirmwareMinimumRule,
  { hsm: { vendor, firmware } }: HsmSubject,
): Finding {
  const found = `${vendor} ${firmware}`
  const least = Object.hasOwn(rule.vendors, vendor) ? rule.vendors[vendor] : undefined
  if (least === undefined) {
    const finding = rule.others === 'accept' ? affirmed : contraindicated
    return finding(found, 'a maker that the rule names')
  }
  const isNewEnough = compareVersions(firmware, least) >= 0
  return (isNewEnough ? affirmed : contraindicated)(found, `${least} or newer`)
}
