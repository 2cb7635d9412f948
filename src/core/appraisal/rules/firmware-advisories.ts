import { affirmed, contraindicated, listed, warned, type Finding } from '../finding.ts'
import { advisoriesFor } from '../firmware-advisory.ts'
import { formatFirmwareVersion } from '../firmware-version.ts'
import type { AppraisalSubject } from '../subject.ts'

/** TPM firmware with a published vulnerability, by the service's table, is refused or warned of. */
export interface FirmwareAdvisoriesRule {
  readonly kind: 'firmware-advisories'
  readonly id: string
  readonly onMatch: 'refuse' | 'warn'
  /** Ids of advisories that this policy takes upon itself. */
  readonly except: readonly string[]
}

/** See {@link FirmwareAdvisoriesRule}. */
export function appraiseFirmwareAdvisories(
  rule: FirmwareAdvisoriesRule,
  subject: AppraisalSubject,
): Finding {
  const { vendor } = subject.endorsement
  const version = subject.platform.firmwareVersion
  const shown = formatFirmwareVersion(version)
  if (vendor === undefined) return affirmed(`no manufacturer to look up, firmware ${shown}`)
  const matches = advisoriesFor(subject.advisories, vendor, version)
  const counted = matches.filter(row => !rule.except.includes(row.id))
  if (counted.length === 0) return affirmed(`${vendor} ${shown}`, 'no published vulnerability')
  const found = `${vendor} ${shown}: ${listed(counted.map(row => `${row.id} (${row.reference})`))}`
  const finding = rule.onMatch === 'warn' ? warned : contraindicated
  return finding(found, 'no published vulnerability')
}
