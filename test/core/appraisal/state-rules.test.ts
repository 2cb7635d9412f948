import test from 'ava'
import type { ObservedPlatform, PlatformState } from '../../../src/core/appraisal/platform-state.ts'
import { nextPlatformState } from '../../../src/core/appraisal/platform-state.ts'
import { appraiseState } from '../../../src/core/appraisal/state-rules.ts'
import { state, subject } from './fixtures.ts'

type Clock = ObservedPlatform['clockInfo']

function observed(
  clock: Partial<Clock>,
  changes: Partial<ObservedPlatform> = {},
): ObservedPlatform {
  const { platform } = subject
  return { ...platform, ...changes, clockInfo: { ...platform.clockInfo, ...clock } }
}

/** Rules that saw the TPM set back. */
function rollbacks(before: PlatformState, now: ObservedPlatform): string[] {
  return appraiseState(before, now).flatMap(line => (line.isRollback ? [line.rule] : []))
}

/** Outcomes that are worse than affirming. */
function reservations(before: PlatformState, now: ObservedPlatform): string[] {
  return appraiseState(before, now).flatMap(line =>
    line.outcome === 'contraindicated' ? [line.rule] : [],
  )
}

test('a clock that went on in the same run is affirmed', t => {
  t.deepEqual(reservations(state, observed({ clock: 40_001n })), [])
})

test('a clock that stands still or goes back in the same run is a rollback', t => {
  for (const clock of [40_000n, 39_999n, 0n])
    t.deepEqual(rollbacks(state, observed({ clock })), ['state-clock'])
})

test('a reset counter that goes back is a rollback, whatever the clock', t => {
  const now = observed({ clock: 2n ** 60n, resetCount: 4 })
  t.deepEqual(rollbacks(state, now), ['state-reset-count'])
})

test('a restart counter that goes back without a reset is a rollback', t => {
  t.deepEqual(rollbacks(state, observed({ restartCount: 0 })), ['state-restart-count'])
})

test('a restart counter that begins again after a reset is not', t => {
  t.deepEqual(reservations(state, observed({ resetCount: 6, restartCount: 0 })), [])
})

test('a resume counts one restart more and is affirmed', t => {
  t.deepEqual(reservations(state, observed({ restartCount: 2 })), [])
})

test('a reboot is seen and counted', t => {
  const now = observed({ resetCount: 8, restartCount: 0 })
  const line = appraiseState(state, now).find(found => found.rule === 'state-reset-count')
  t.is(line?.outcome, 'affirming')
  t.is(line?.found, '3 reboots since the last attestation')
  t.is(nextPlatformState(state, now, { pins: {}, ima: null }).reboots, 5)
})

test('a clock that lost what was not saved before a sudden reset is not a rollback', t => {
  const before = { ...state, clock: String(2n ** 23n) }
  const lost = { clock: 2n ** 23n - 2n ** 22n, resetCount: 6 }
  t.deepEqual(reservations(before, observed({ ...lost, safe: false })), [])
  t.deepEqual(rollbacks(before, observed({ ...lost, safe: true })), ['state-clock'])
  const more = { clock: 2n ** 23n - 2n ** 22n - 1n, resetCount: 6, safe: false }
  t.deepEqual(rollbacks(before, observed(more)), ['state-clock'])
})

test('firmware that goes down is a rollback, firmware that goes up is not', t => {
  const down = observed({}, { firmwareVersion: subject.platform.firmwareVersion - 1n })
  const up = observed({}, { firmwareVersion: subject.platform.firmwareVersion + 1n })
  t.deepEqual(rollbacks(state, down), ['state-firmware'])
  t.deepEqual(reservations(state, up), [])
})

test('another attestation key of the same TPM is recorded', t => {
  const now = observed({}, { attestationName: '000b'.padEnd(68, '2') })
  const line = appraiseState(state, now).find(found => found.rule === 'state-attestation-key')
  t.is(line?.outcome, 'none')
  t.deepEqual(reservations(state, now), [])
})

test('counters that go back under another attestation key are refused, but prove no rollback', t => {
  const changes = { attestationName: '000b'.padEnd(68, '2') }
  const now = observed({ clock: 10n, resetCount: 0 }, changes)
  t.deepEqual(reservations(state, now), ['state-attestation-key'])
  t.deepEqual(rollbacks(state, now), [])
})

test('the next state holds what was seen, and JSON carries it', t => {
  const now = observed({ clock: 2n ** 63n })
  const next = nextPlatformState(undefined, now, { pins: { 'pcr-7': 'aa' }, ima: null })
  t.is(next.clock, '9223372036854775808')
  t.is(next.reboots, 0)
  t.deepEqual(JSON.parse(JSON.stringify(next)), next)
})
