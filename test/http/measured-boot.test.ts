import test, { type ExecutionContext } from 'ava'
import { EVENT_TYPE } from '../../src/core/eventlog/event-type.ts'
import {
  grubBoot,
  image,
  secureBoot,
  separator,
  unifiedBoot,
} from '../../swtpm/emulated/boot-events.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { makeEventLog, type MadeEvent } from '../../swtpm/emulated/event-log.ts'
import { fileEntry, makeImaList, type MadeEntry } from '../../swtpm/emulated/ima-list.ts'
import type { EmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import {
  ordinaryBoot,
  playBoot,
  runFiles,
  type EmulatedBoot,
} from '../../swtpm/emulated/play-boot.ts'
import { bootPcrs, referenceValues, sha256 } from '../core/appraisal/boot-fixtures.ts'
import { establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  askForChallenge,
  enrollHost,
  evidenceBody,
  postJson,
} from '../support/test-host.ts'

const files = ['/init', '/usr/bin/sh', '/usr/lib/agent']
const allowLists = { system: Object.fromEntries(files.map(path => [path, [sha256(path)]])) }

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
}

/** A service under a policy with these rules. */
async function stageWith(t: ExecutionContext, rules: readonly object[]): Promise<Stage> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  await establishPolicy(api, operator, policyWith(rules))
  return { api, operator, manufacturer: await admitManufacturer(api) }
}

function policyWith(rules: readonly object[]): object {
  return {
    ...writtenPolicy,
    pcrs: { sha256: bootPcrs },
    referenceValues,
    allowLists,
    rules: [...writtenPolicy.rules, ...rules],
  }
}

function bootedTpm({ manufacturer }: Stage, boot: Partial<EmulatedBoot> = {}): EmulatedTpm {
  const tpm = new EmulatedTpm({ manufacturer })
  playBoot(tpm, { ...ordinaryBoot, ...boot })
  return tpm
}

/** Answers a challenge with the logs of the machine, or others. */
async function attest(
  { api }: Stage,
  tpm: EmulatedTpm,
  logs: EmulatedTpm['logs'] = tpm.logs,
): Promise<TestAnswer> {
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge, {}, logs)
  return await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
}

const off = [...secureBoot(Uint8Array.of(0)), ...withoutVariables(grubBoot())]

function withoutVariables(events: readonly MadeEvent[]): MadeEvent[] {
  return events.filter(
    ({ pcr, type }) => pcr !== 7 || type !== EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG,
  )
}

interface Case {
  readonly rule: { readonly kind: string; readonly [member: string]: unknown }
  /** A boot, or files, that the rule accepts, and one that it does not. */
  readonly good?: readonly MadeEvent[]
  readonly bad?: readonly MadeEvent[]
  readonly badFiles?: readonly MadeEntry[]
}

const cases: readonly Case[] = [
  { rule: { kind: 'event-log' }, bad: [...unifiedBoot(), separator(5)] },
  { rule: { kind: 'secure-boot' }, bad: off },
  {
    rule: { kind: 'secure-boot-database', database: 'dbx', require: ['revoked-1'] },
    bad: withoutVariables(unifiedBoot()),
  },
  {
    rule: { kind: 'boot-authority', accept: ['ca-vendor', 'ca-distribution'] },
    good: grubBoot(),
    bad: unifiedBoot(),
  },
  { rule: { kind: 'boot-images', accept: ['uki'] }, bad: grubBoot() },
  {
    rule: { kind: 'boot-files', accept: ['configuration', 'initrd'] },
    good: grubBoot(),
    bad: unifiedBoot(),
  },
  {
    rule: { kind: 'unified-kernel', sections: { '.linux': ['kernel'] }, others: 'accept' },
    bad: grubBoot(),
  },
  {
    rule: {
      kind: 'kernel-command-line',
      allow: ['quiet', 'splash'],
      embedded: ['quiet'],
      parameters: ['addon'],
    },
    bad: grubBoot(),
  },
  {
    rule: { kind: 'ima', allowLists: ['system'] },
    badFiles: [...ordinaryBoot.files, fileEntry('/tmp/odd')],
  },
]

for (const { rule, good = unifiedBoot(), bad = good, badFiles = ordinaryBoot.files } of cases) {
  test(`a host is refused by ${rule.kind}, and let in where the rule holds`, async t => {
    const stage = await stageWith(t, [rule])
    const answer = await attest(stage, bootedTpm(stage, { events: good }))
    t.is(answer.status, 201, answer.text)
    t.like(answer.json['attestationResult'], { status: 'affirming' })
    const refused = await attest(stage, bootedTpm(stage, { events: bad, files: badFiles }))
    t.is(refused.status, 403, refused.text)
    t.like(refused.json, { code: 'attestation-contraindicated', found: rule.kind })
    const silent = await attest(stage, bootedTpm(stage, { events: good }), {})
    t.like(silent.json, { code: 'attestation-contraindicated', found: rule.kind })
  })
}

test('a host without logs is let in where no rule asks for one, and shows no boot', async t => {
  const stage = await stageWith(t, [])
  const { json } = await attest(stage, bootedTpm(stage), {})
  t.like(json['attestationResult'], { status: 'affirming' })
  t.false(Object.hasOwn(json['attestationResult'] as object, 'boot'))
})

test('logs that were sent are checked, told and kept, also where no rule asks for them', async t => {
  const stage = await stageWith(t, [])
  const { json } = await attest(stage, bootedTpm(stage))
  const verdict = json['attestationResult'] as { checks: { code: string }[] }
  t.like(verdict, { status: 'affirming', boot: { secureBoot: true } })
  t.true(verdict.checks.some(({ code }) => code === 'eventlog-pcr-differs'))
  t.false(Object.hasOwn(verdict, 'ima'))
})

const forged: Readonly<Record<string, [EmulatedTpm['logs'], string]>> = {
  'an event log with a program more': [
    { eventLog: makeEventLog([...unifiedBoot(), image('\\evil.efi', 'evil')]) },
    'eventlog-pcr-differs',
  ],
  'an event log without events': [{ eventLog: makeEventLog([]) }, 'eventlog-pcr-differs'],
  'bytes that are no event log': [{ eventLog: Buffer.alloc(64, 1) }, 'eventlog-malformed'],
  'a list of IMA of other files': [
    { imaLog: makeImaList([fileEntry('/evil')]) },
    'ima-pcr-differs',
  ],
}

for (const [name, [logs, code]] of Object.entries(forged)) {
  test(`${name} is a forgery: refused, kept with its checks, and told to the host`, async t => {
    const stage = await stageWith(t, [
      { kind: 'event-log' },
      { kind: 'ima', allowLists: ['system'] },
    ])
    const tpm = bootedTpm(stage)
    const refused = await attest(stage, tpm, { ...tpm.logs, ...logs })
    t.is(refused.status, 403, refused.text)
    t.like(refused.json, { code })
    const listed = await call(stage.api, stage.operator, 'GET', '/v1/attestations')
    const [kept] = listed.json['attestations'] as { id: string; status: string }[]
    t.is(kept?.status, 'contraindicated')
    const { json } = await call(stage.api, stage.operator, 'GET', `/v1/attestations/${kept?.id}`)
    const verdict = json['verdict'] as { rule: string; checks: { code: string; outcome: string }[] }
    t.is(verdict.rule, code)
    t.like(verdict.checks.at(-1), { code, outcome: 'fail' })
    t.true(verdict.checks.some(check => check.code === 'activation-proof'))
    t.is((await attest(stage, tpm)).status, 201)
  })
}

test('a list of IMA goes on from one attestation to the next, and begins anew with the boot', async t => {
  const stage = await stageWith(t, [{ kind: 'ima', allowLists: ['system'], exclude: ['/later/'] }])
  const tpm = bootedTpm(stage)
  const { id } = await enrollHost(stage.api, stage.manufacturer, { tpm })
  const imaOf = async (): Promise<unknown> => {
    const host = await stage.api.service.store.hosts.find(id)
    const { ima } = JSON.parse(host?.platformState ?? '{}') as { ima: string }
    return (JSON.parse(ima) as { count: number }).count
  }
  t.is(await imaOf(), 4)
  runFiles(tpm, [fileEntry('/later/a')])
  t.is((await attest(stage, tpm)).status, 201)
  t.is(await imaOf(), 5)
  playBoot(tpm, { ...ordinaryBoot, files: ordinaryBoot.files.slice(0, 1) })
  t.like((await attest(stage, tpm)).json, { code: 'ima-prefix-changed' })
  tpm.reset()
  t.is((await attest(stage, tpm)).status, 201)
  t.is(await imaOf(), 2)
})

test('a policy that looks at the boot is tried on kept evidence before it is activated', async t => {
  const stage = await stageWith(t, [])
  const { api, operator, manufacturer } = stage
  const ids: string[] = []
  for (const events of [unifiedBoot(), grubBoot()]) {
    const tpm = bootedTpm(stage, { events })
    ids.push((await enrollHost(api, manufacturer, { tpm, name: `host-${ids.length}` })).id)
  }
  const rules = [
    { kind: 'boot-images', accept: ['uki'] },
    { kind: 'ima', allowLists: ['system'] },
  ]
  const { json } = await call(api, operator, 'POST', '/v1/policies', policyWith(rules))
  const path = `/v1/policies/${String(json['version'])}/simulate`
  const simulated = await call(api, operator, 'POST', path)
  t.like(simulated.json, { judged: 2, unjudged: [] })
  const changes = simulated.json['changes'] as Record<string, unknown>[]
  t.is(changes.length, 1)
  t.like(changes[0], {
    host: ids[1],
    from: { status: 'affirming', accepted: true },
    to: { status: 'contraindicated', accepted: false },
    rule: 'boot-images',
  })
})

test('evidence whose quote lacks a PCR of the new policy is contraindicated by the rule that wants it', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const manufacturer = await admitManufacturer(api)
  const stage = { api, operator, manufacturer }
  await enrollHost(api, manufacturer, { tpm: bootedTpm(stage) })
  const rules = [{ kind: 'ima', allowLists: ['system'] }]
  const { json } = await call(api, operator, 'POST', '/v1/policies', policyWith(rules))
  const path = `/v1/policies/${String(json['version'])}/simulate`
  const { changes } = (await call(api, operator, 'POST', path)).json as {
    changes: Record<string, unknown>[]
  }
  t.like(changes[0], { to: { status: 'contraindicated' }, rule: 'ima' })
})
