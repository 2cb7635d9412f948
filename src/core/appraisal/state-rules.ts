import type { ClockInfo } from '../tpm/attest.ts'
import { affirmed, contraindicated, recorded, type Finding } from './finding.ts'
import { formatFirmwareVersion } from './firmware-version.ts'
import type { ObservedPlatform, PlatformState } from './platform-state.ts'

/**
 * How far the clock may lie behind after a reset that the TPM was not told of: it is saved at least each 2^22 ms, and
 * `safe` is clear until it has passed every value that it may have shown.
 *
 * @see TPM 2.0 Part 1 r01.59 §36.3 Clock, §36.4 safe
 */
const clockSaveIntervalMs = 2n ** 22n

/** The rules that always hold between two attestations of one TPM, whatever the policy says. */
export const stateRules = {
  'state-attestation-key': 'verification Q8, X1',
  'state-firmware': 'TPM 2.0 Part 2 r01.59 §10.12.12 firmwareVersion; verification Q9',
  'state-reset-count': 'TPM 2.0 Part 1 r01.59 §36.5 resetCount; verification Q8, VT5',
  'state-restart-count': 'TPM 2.0 Part 1 r01.59 §36.6 restartCount; verification Q8',
  'state-clock': 'TPM 2.0 Part 1 r01.59 §36.3 Clock; verification Q8, VT5',
} as const

export type StateRule = keyof typeof stateRules

/** One line about the platform; `isRollback` when only a TPM whose state was set back can show it. */
export interface StateFinding extends Finding {
  readonly rule: StateRule
  readonly isRollback: boolean
}

/**
 * Compares what an attestation shows with what the one before showed. TPM2_Clear sets clock and counters back too and
 * leaves the attestation key as it is; it takes the keys of the storage hierarchy with it, and counts as a rollback. Counters and firmware version are true, since
 * the verifier admits attestation keys of the endorsement hierarchy alone.
 */
export function appraiseState(before: PlatformState, now: ObservedPlatform): StateFinding[] {
  if (before.attestationName !== now.attestationName)
    return [otherKey(before, now), firmware(before, now)]
  return [...counters(before, now.clockInfo), firmware(before, now)]
}

/**
 * Another attestation key of the same TPM is a fact; counters that go back with it are refused. Counters are those of
 * the TPM, so it was cleared or set back; who of the two holds the new key nobody can say, so nobody is revoked.
 */
function otherKey(before: PlatformState, now: ObservedPlatform): StateFinding {
  const back = counters(before, now.clockInfo).find(one => one.outcome === 'contraindicated')
  const found = 'another attestation key of the same TPM'
  if (back === undefined) return line('state-attestation-key', recorded(found))
  const refused = contraindicated(`${found}, ${back.found ?? ''}`, back.expected)
  return line('state-attestation-key', refused)
}

function counters(before: PlatformState, now: ClockInfo): StateFinding[] {
  if (now.resetCount < before.resetCount) {
    const found = `resetCount ${now.resetCount}`
    return [rollback('state-reset-count', found, `${before.resetCount} or more`)]
  }
  const boots = now.resetCount - before.resetCount
  const seen = boots === 0 ? 'no reboot' : `${boots} ${boots === 1 ? 'reboot' : 'reboots'}`
  const reset = line('state-reset-count', affirmed(`${seen} since the last attestation`))
  return boots === 0 ? [reset, ...sameBoot(before, now)] : [reset, clockAfterReset(before, now)]
}

/** Without a reset the restarts are counted up and the clock runs. */
function sameBoot(before: PlatformState, now: ClockInfo): StateFinding[] {
  if (now.restartCount < before.restartCount) {
    const found = `restartCount ${now.restartCount} without a reset`
    return [rollback('state-restart-count', found, `${before.restartCount} or more`)]
  }
  const restarts = line('state-restart-count', affirmed(`restartCount ${now.restartCount}`))
  return [restarts, clock(now, BigInt(before.clock) + 1n)]
}

function clockAfterReset(before: PlatformState, now: ClockInfo): StateFinding {
  const last = BigInt(before.clock)
  return clock(now, now.safe ? last : last - clockSaveIntervalMs)
}

function clock(now: ClockInfo, least: bigint): StateFinding {
  if (now.clock < least)
    return rollback('state-clock', `clock ${now.clock} ms`, `${least} ms or more`)
  return line('state-clock', affirmed(`clock ${now.clock} ms`))
}

function firmware(before: PlatformState, now: ObservedPlatform): StateFinding {
  const last = BigInt(before.firmwareVersion)
  const found = formatFirmwareVersion(now.firmwareVersion)
  if (now.firmwareVersion < last)
    return rollback('state-firmware', found, `${formatFirmwareVersion(last)} or newer`)
  return line('state-firmware', affirmed(found))
}

function line(rule: StateRule, finding: Finding): StateFinding {
  return { rule, isRollback: false, ...finding }
}

function rollback(rule: StateRule, found: string, expected: string): StateFinding {
  return { rule, isRollback: true, ...contraindicated(found, expected) }
}
