import type { ClockInfo } from '../tpm/attest.ts'

/** What must carry over from one attestation of a host to the next. Kept as JSON; 64-bit numbers are decimal text. */
export interface PlatformState {
  /** Hex Name of the attestation key. */
  readonly attestationName: string
  /** TPMS_ATTEST.firmwareVersion. */
  readonly firmwareVersion: string
  readonly clock: string
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
  /** Reboots seen since the host was first admitted: resets of the TPM between its attestations. */
  readonly reboots: number
  /** Values pinned on first use, by name of what was pinned (`pcr-7`); hex SHA-256. */
  readonly pins: Readonly<Record<string, string>>
  /** Where the verification of the IMA log goes on; written and read by that verifier alone. */
  readonly ima: string | null
}

/** What one attestation shows of the platform. */
export interface ObservedPlatform {
  readonly attestationName: string
  readonly firmwareVersion: bigint
  readonly clockInfo: ClockInfo
}

/** The state after an attestation that was accepted; without a list, what is known of the same boot stays. */
export function nextPlatformState(
  before: PlatformState | undefined,
  observed: ObservedPlatform,
  carried: { readonly pins: PlatformState['pins']; readonly ima: string | null },
): PlatformState {
  const { clock, resetCount, restartCount, safe } = observed.clockInfo
  const known = before?.resetCount === resetCount ? before.ima : null
  return {
    attestationName: observed.attestationName,
    firmwareVersion: observed.firmwareVersion.toString(),
    clock: clock.toString(),
    resetCount,
    restartCount,
    safe,
    reboots: (before?.reboots ?? 0) + Math.max(0, resetCount - (before?.resetCount ?? resetCount)),
    pins: carried.pins,
    ima: carried.ima ?? known,
  }
}
