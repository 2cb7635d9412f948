import test from 'ava'
import { bootDifference } from '../../../src/core/appraisal/boot-difference.ts'
import type { PlatformState } from '../../../src/core/appraisal/platform-state.ts'
import type { TpmFacts } from '../../../src/core/verifier/tpm-attestation.ts'

const before: PlatformState = {
  attestationName: '000b',
  firmwareVersion: '16',
  clock: '5000',
  resetCount: 7,
  restartCount: 2,
  safe: true,
  reboots: 0,
  pins: {},
  ima: null,
}

function factsOf(changes: Partial<TpmFacts['clockInfo']> = {}, firmwareVersion = 16n): TpmFacts {
  const clockInfo = { clock: 5001n, resetCount: 7, restartCount: 2, safe: true, ...changes }
  return { clockInfo, firmwareVersion }
}

test('the same run of a TPM, later, differs in nothing', t => {
  t.is(bootDifference(before, factsOf()), undefined)
  t.is(bootDifference(before, factsOf({ clock: 9_999_999n })), undefined)
})

test('a reset, a restart and other firmware are told, and are no rollback', t => {
  for (const [facts, found] of [
    [factsOf({ resetCount: 8, restartCount: 0 }), 'resetCount 8, restartCount 0, firmware 10'],
    [factsOf({ restartCount: 3 }), 'resetCount 7, restartCount 3, firmware 10'],
    [factsOf({}, 17n), 'resetCount 7, restartCount 2, firmware 11'],
  ] as const)
    t.deepEqual(bootDifference(before, facts), {
      expected: 'resetCount 7, restartCount 2, firmware 10',
      found,
      rollback: undefined,
    })
})

test('what goes back is told with the rule that it breaks', t => {
  for (const [facts, rule] of [
    [factsOf({ resetCount: 6 }), 'state-reset-count'],
    [factsOf({ restartCount: 1 }), 'state-restart-count'],
    [factsOf({ clock: 5000n }), 'state-clock'],
    [factsOf({}, 15n), 'state-firmware'],
  ] as const) {
    const difference = bootDifference(before, facts)
    t.is(difference?.rollback, rule)
    t.regex(difference?.found ?? '', /resetCount \d, restartCount \d/)
  }
})
