import type { CheckRecorder } from '../../verifier/check.ts'

/** Firmware whose keys cannot be relied on. */
export interface WeakFirmware {
  readonly code: 'hsm-firmware' | 'hsm-firmware-roca'
  /** First version that has the weakness, dotted. */
  readonly from: string
  /** First version without it. */
  readonly until: string
}

/** Compares dotted versions by their numbers, those that are not written being zero; below zero where the first is older. */
export function compareVersions(left: string, right: string): number {
  const [parts, others] = [left.split('.').map(Number), right.split('.').map(Number)]
  const length = Math.max(parts.length, others.length)
  for (let index = 0; index < length; index += 1) {
    const difference = (parts[index] ?? 0) - (others[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
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
