import type { TpmFacts } from '../verifier/tpm-attestation.ts'
import type { PlatformState } from './platform-state.ts'
import { appraiseState } from './state-rules.ts'

/** That a TPM is not in the state that its host attested. */
export interface BootDifference {
  readonly expected: string
  /** Counters and firmware, as they are now. */
  readonly found: string
  /** The rule that only a TPM whose state was set back breaks; undefined for a restart. */
  readonly rollback: string | undefined
}

/**
 * What sets the TPM that certified a key apart from the one of the attestation: a reset, a restart, other firmware, or
 * a clock that went back. Undefined when it is the same run, later.
 *
 * @param before what the attestation left
 * @param now of a certification by the same attestation key, made after that attestation
 * @see TPM 2.0 Part 1 r01.59 §36.5 resetCount, §36.6 restartCount; verification Q8
 */
export function bootDifference(before: PlatformState, now: TpmFacts): BootDifference | undefined {
  const { attestationName } = before
  const findings = appraiseState(before, { attestationName, ...now })
  const back = findings.find(finding => finding.isRollback)
  const found = describe(now.clockInfo, now.firmwareVersion)
  const expected = describe(before, BigInt(before.firmwareVersion))
  if (back === undefined && expected === found) return undefined
  return { expected, found, rollback: back?.rule }
}

function describe(
  { resetCount, restartCount }: { readonly resetCount: number; readonly restartCount: number },
  firmware: bigint,
): string {
  return `resetCount ${resetCount}, restartCount ${restartCount}, firmware ${firmware.toString(16)}`
}
