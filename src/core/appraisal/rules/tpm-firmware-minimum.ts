import { affirmed, contraindicated, type Finding } from '../finding.ts'
import { formatFirmwareVersion, parseFirmwareVersion } from '../firmware-version.ts'
import type { AppraisalSubject } from '../subject.ts'

/** The oldest TPM firmware that is accepted, by manufacturer. */
export interface TpmFirmwareMinimumRule {
  readonly kind: 'tpm-firmware-minimum'
  readonly id: string
  /** By TCG vendor id (`id:49465800`): dotted version. */
  readonly vendors: Readonly<Record<string, string>>
  /** What becomes of manufacturers that are not named, and of TPMs whose manufacturer nobody certified. */
  readonly others: 'accept' | 'refuse'
}

/** See {@link TpmFirmwareMinimumRule}. */
export function appraiseTpmFirmwareMinimum(
  rule: TpmFirmwareMinimumRule,
  subject: AppraisalSubject,
): Finding {
  const { vendor } = subject.endorsement
  const version = subject.platform.firmwareVersion
  const found = `${vendor ?? 'no manufacturer'} ${formatFirmwareVersion(version)}`
  const least = vendor === undefined ? undefined : rule.vendors[vendor]
  if (least === undefined) {
    const finding = rule.others === 'accept' ? affirmed : contraindicated
    return finding(found, 'a manufacturer that the rule names')
  }
  const minimum = parseFirmwareVersion(least)
  const isNewEnough = minimum !== undefined && version >= minimum
  return isNewEnough
    ? affirmed(found, `${least} or newer`)
    : contraindicated(found, `${least} or newer`)
}
