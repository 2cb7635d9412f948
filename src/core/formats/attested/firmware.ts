import type { CheckRecorder } from '../../verifier/check.ts'

/** Firmware whose keys cannot be relied on. */
export interface WeakFirmware {
  readonly code: 'hsm-firmware' | 'hsm-firmware-roca'
  /** First version that has the weakness, dotted. */
  readonly from: string
  /** First version without it. */
  readonly until: string
}

/** Compares dotted versions of the same number of parts; below zero where the first is older. */
export function compareVersions(left: string, right: string): number {
  const [others, parts] = [right.split('.').map(Number), left.split('.').map(Number)]
  const differs = parts.findIndex((part, index) => part !== (others[index] ?? 0))
  return differs < 0 ? parts.length - others.length : (parts[differs] ?? 0) - (others[differs] ?? 0)
}

/** Refuses a version that lies in one of the ranges. Throws EvidenceError with the range's code. */
export function requireFirmware(
  checks: CheckRecorder,
  version: string,
  ranges: readonly WeakFirmware[],
): void {
  for (const { code, from, until } of ranges) {
    const isWeak = compareVersions(version, from) >= 0 && compareVersions(version, until) < 0
    checks.require(!isWeak, code, { expected: `${until} or newer`, found: version })
  }
}
