import test from 'ava'
import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import { appraise } from '../../../src/core/appraisal/appraise.ts'
import {
  MeasuredPlatform,
  needsLog,
  verifyLogs,
  verifyLogsInSlices,
  type HostLogs,
} from '../../../src/core/appraisal/measured-platform.ts'
import type { PlatformState } from '../../../src/core/appraisal/platform-state.ts'
import type { PolicyDocument } from '../../../src/core/appraisal/policy.ts'
import type { Rule } from '../../../src/core/appraisal/rule-table.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import type { VerifiedEvidence } from '../../../src/core/verifier/evidence.ts'
import {
  commandLine,
  exits,
  file,
  image,
  unifiedBoot,
} from '../../../swtpm/emulated/boot-events.ts'
import { legacyRecord, makeEventLog } from '../../../swtpm/emulated/event-log.ts'
import { fileEntry, makeImaList } from '../../../swtpm/emulated/ima-list.ts'
import { ordinaryBoot, playBoot, runFiles } from '../../../swtpm/emulated/play-boot.ts'
import type { TestTpm } from '../../support/emulated-tpm.ts'
import { bootPcrs, bootPolicy, sha256 } from './boot-fixtures.ts'
import { certified, createTpm, noLogs, now, stateOf, verifiedEvidence } from './fixtures.ts'

const ima: Rule = {
  kind: 'ima',
  id: 'ima',
  allowLists: ['all'],
  accept: [],
  keys: [],
  exclude: [],
  buffers: {},
  maxViolations: 0,
  templateHash: 'bank',
}
const log: Rule = { kind: 'event-log', id: 'log', explain: [0, 4, 7], quirks: [], tolerate: [] }
const files = ['/init', '/usr/bin/sh', '/usr/lib/agent', '/later']
const allowLists = { all: Object.fromEntries(files.map(path => [path, [sha256(path)]])) }

function policyOf(rules: readonly Rule[], changes: Partial<PolicyDocument> = {}): AppraisalPolicy {
  return AppraisalPolicy.prepare(bootPolicy(rules, { allowLists, ...changes }), 1)
}

const asking = policyOf([log, ima])
const careless = policyOf([certified])

interface Booted extends TestTpm {
  readonly evidence: VerifiedEvidence
  readonly logs: HostLogs
}

/** A TPM that was booted, its Evidence and its logs. */
function boot(made: TestTpm = createTpm(), events = unifiedBoot()): Booted {
  playBoot(made.tpm, { ...ordinaryBoot, events })
  return attest(made)
}

function attest(made: TestTpm): Booted {
  const { eventLog = null, imaLog = null } = made.tpm.logs
  return { ...made, evidence: verifiedEvidence(made, bootPcrs), logs: { eventLog, imaLog } }
}

function refusal(run: () => unknown): EvidenceError {
  try {
    run()
  } catch (error) {
    if (error instanceof EvidenceError) return error
    throw error
  }
  throw new Error('it was accepted')
}

const booted = boot()

test('logs that lead to the quote show the boot and what ran since', t => {
  const measured = verifyLogs(booted.evidence, booted.logs, asking, undefined)
  t.is(measured.boot?.secureBoot.isEnabled, true)
  t.is(measured.ima?.proven, 4)
  t.is(measured.ima?.appraisal.refused, 0)
  t.is(typeof measured.imaState, 'string')
  t.true(measured.checks.some(({ code }) => code === 'ima-pcr-differs'))
})

test('a host without logs shows nothing, and is not refused for it here', t => {
  const measured = verifyLogs(booted.evidence, noLogs, asking, undefined)
  t.is(measured.boot, undefined)
  t.is(measured.ima, undefined)
  t.is(measured.imaState, null)
  t.deepEqual(measured.checks, [])
})

test('an event log that does not lead to the quote is refused whatever the policy asks for', t => {
  const others = makeEventLog([...unifiedBoot(), image('\\more.efi', 'more')])
  for (const policy of [asking, careless]) {
    const logs = { ...booted.logs, eventLog: others }
    const error = refusal(() => verifyLogs(booted.evidence, logs, policy, undefined))
    t.is(error.code, 'eventlog-pcr-differs')
    t.true(error.checks.some(({ code }) => code === 'activation-proof'))
  }
  t.truthy(verifyLogs(booted.evidence, booted.logs, careless, undefined).boot)
})

test('an event that is told of a PCR which the running system extends leaves that PCR open', t => {
  const logs = {
    eventLog: makeEventLog([...unifiedBoot(), commandLine('more')]),
    imaLog: null,
  }
  const { boot: facts } = verifyLogs(booted.evidence, logs, careless, undefined)
  t.deepEqual(facts?.unexplainedPcrs, [10, 12])
  t.deepEqual(facts?.bootLoader.commandLines, [])
})

test('a list of IMA is looked at where a rule asks for it and its PCR was quoted', t => {
  const forged = { ...booted.logs, imaLog: makeImaList([fileEntry('/evil')]) }
  const error = refusal(() => verifyLogs(booted.evidence, forged, asking, undefined))
  t.is(error.code, 'ima-pcr-differs')
  t.is(verifyLogs(booted.evidence, forged, careless, undefined).ima, undefined)
  const unquoted = verifiedEvidence(booted, [0, 1, 2, 3, 4, 5, 6, 7])
  t.is(verifyLogs(unquoted, booted.logs, asking, undefined).ima, undefined)
})

test('a log of another bank than the quoted is left aside where no rule looks at the boot', t => {
  const logs = { eventLog: makeEventLog(unifiedBoot(), ['sha1']), imaLog: null }
  const measured = verifyLogs(booted.evidence, logs, careless, undefined)
  t.is(measured.boot, undefined)
  const error = refusal(() => verifyLogs(booted.evidence, logs, asking, undefined))
  t.is(error.code, 'eventlog-bank-missing')
  const legacy = { eventLog: Buffer.concat(unifiedBoot().map(legacyRecord)), imaLog: null }
  t.is(verifyLogs(booted.evidence, legacy, careless, undefined).boot, undefined)
  t.is(
    refusal(() => verifyLogs(booted.evidence, legacy, asking, undefined)).code,
    'eventlog-legacy',
  )
})

test('a log of more events than real machines have is refused', t => {
  const events = Array.from({ length: 4097 }, () => file('x', 'x'))
  const logs = { eventLog: makeEventLog(events), imaLog: null }
  t.is(refusal(() => verifyLogs(booted.evidence, logs, careless, undefined)).code, 'eventlog-size')
})

test('the end of boot services that a firmware did not log is a fact for rules', t => {
  const events = unifiedBoot()
  const isExit = (data: Uint8Array): boolean => exits.includes(Buffer.from(data).toString())
  const { evidence } = boot(createTpm(), events)
  const logs = { eventLog: makeEventLog(events.filter(({ data }) => !isExit(data))), imaLog: null }
  const measured = verifyLogs(evidence, logs, careless, undefined)
  t.deepEqual(measured.boot?.quirks, ['exit-boot-services-missing'])
})

const stateWith = (made: Booted, kept: string | null): PlatformState =>
  stateOf(made.tpm, { ima: kept })

test('a list must go on from what was seen of the same boot, and begins anew after another', t => {
  const made = boot(createTpm())
  const first = verifyLogs(made.evidence, made.logs, asking, undefined)
  const before = stateWith(made, first.imaState)
  runFiles(made.tpm, [fileEntry('/later')])
  const later = attest(made)
  t.is(verifyLogs(later.evidence, later.logs, asking, before).ima?.proven, 5)
  playBoot(made.tpm, { ...ordinaryBoot, files: [fileEntry('/init')] })
  const rewritten = attest(made)
  t.is(
    refusal(() => verifyLogs(rewritten.evidence, rewritten.logs, asking, before)).code,
    'ima-prefix-changed',
  )
  made.tpm.reset()
  const reset = attest(made)
  t.is(verifyLogs(reset.evidence, reset.logs, asking, before).ima?.proven, 2)
})

test('what was seen of a boot stays when a list is missing, and goes with the boot', t => {
  const made = boot(createTpm())
  const policy = policyOf([certified, ima], { assurance: ['emulated'] })
  const resultOf = (host: Booted, before: PlatformState | undefined): PlatformState => {
    const measured = verifyLogs(host.evidence, host.logs, policy, before)
    return appraise(host.evidence, policy, {
      now,
      measured,
      evidenceSha256: 'ee'.repeat(32),
      endorsementKind: 'certificate',
      challengedAt: now,
      before,
      advisories: [],
      isEmulationAllowed: true,
    }).nextState
  }
  const first = resultOf(made, undefined)
  t.is(typeof first.ima, 'string')
  t.is(resultOf({ ...attest(made), logs: noLogs }, first).ima, first.ima)
  made.tpm.reset()
  t.is(resultOf({ ...attest(made), logs: noLogs }, first).ima, null)
})

test('a long list is verified in slices, to the same end as at once', t => {
  const made = createTpm()
  const many = Array.from({ length: 2500 }, (_, i) => fileEntry(`/usr/lib/${i}`))
  playBoot(made.tpm, { ...ordinaryBoot, files: many })
  const { evidence, logs } = attest(made)
  const work = verifyLogsInSlices(evidence, logs, asking, undefined)
  let slices = 0
  let step = work.next()
  for (; step.done !== true; step = work.next()) slices += 1
  t.is(slices, 6)
  const whole = verifyLogs(evidence, logs, asking, undefined)
  t.deepEqual(step.value.ima, whole.ima)
  t.is(whole.ima?.appraisal.refused, 2500)
})

test('logs of other Evidence cannot be appraised', t => {
  const other = boot(createTpm())
  const measured = verifyLogs(other.evidence, other.logs, asking, undefined)
  const context = {
    now,
    measured,
    evidenceSha256: '',
    endorsementKind: 'certificate',
    challengedAt: now,
    before: undefined,
    advisories: [],
    isEmulationAllowed: true,
  } as const
  t.throws(() => appraise(booted.evidence, asking, context), { instanceOf: TypeError })
  t.notThrows(() => appraise(other.evidence, asking, context))
  const key = Symbol('mine') as never
  t.throws(() => new MeasuredPlatform(key, other.evidence, measured as never), {
    instanceOf: TypeError,
  })
})

test('an error that is no refusal is passed on', t => {
  const eventLog = {
    get length(): number {
      throw new RangeError('a bug')
    },
  } as unknown as Uint8Array
  t.throws(() => verifyLogs(booted.evidence, { eventLog, imaLog: null }, careless, undefined), {
    instanceOf: RangeError,
  })
})

test('a policy says which logs it cannot do without', t => {
  t.true(needsLog(asking.document, 'event-log'))
  t.true(needsLog(asking.document, 'ima-log'))
  t.false(needsLog(careless.document, 'event-log'))
  t.false(needsLog(policyOf([log]).document, 'ima-log'))
})
