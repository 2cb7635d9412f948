import test from 'ava'
import { createHash } from 'node:crypto'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import type { PlatformState } from '../../src/core/appraisal/platform-state.ts'
import { grubBoot, secureBoot, separator } from '../../swtpm/emulated/boot-events.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { makeEventLog, quoteOf, type MadeEvent } from '../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  withIma,
  type MadeEntry,
} from '../../swtpm/emulated/ima-list.ts'
import type { EmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { establishPolicy, writtenPolicy } from '../support/operator-activation.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { createOperator } from '../support/test-caller.ts'
import { admitManufacturer, askForChallenge, evidenceBody, postJson } from '../support/test-host.ts'

const pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14]
const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex')

/** A policy in words, not in PCR values: Secure Boot on, these programs, this log. */
const semantic = {
  ...writtenPolicy,
  pcrs: { sha256: pcrs },
  referenceValues: {
    shim: { digest: sha256('shim') },
    grub: { digest: sha256('grub') },
    kernel: { digest: sha256('kernel') },
  },
  rules: [
    ...writtenPolicy.rules,
    { kind: 'event-log' },
    { kind: 'secure-boot' },
    { kind: 'boot-images', accept: ['shim', 'grub', 'kernel'] },
  ],
}

interface Boot {
  readonly events: readonly MadeEvent[]
  readonly entries?: readonly MadeEntry[]
}

/** The PCRs of a TPM as this boot leaves them. */
function boot(tpm: EmulatedTpm, { events, entries }: Boot): void {
  const quote = quoteOf(events, pcrs)
  const listed = entries === undefined ? quote : withIma(quote, entries)
  for (const [pcr, value] of listed.values) tpm.pcrs.set(pcr, value)
}

async function attest(
  api: TestApi,
  tpm: EmulatedTpm,
  logs: { readonly eventLog?: Uint8Array; readonly imaLog?: Uint8Array },
): Promise<TestAnswer> {
  const challenge = await askForChallenge(api, tpm)
  const { body } = evidenceBody(tpm, challenge)
  const encoded = Object.entries(logs).map(([name, bytes]) => [name, encodeBase64url(bytes)])
  const whole = { ...(body as object), ...(Object.fromEntries(encoded) as object) }
  return await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, whole)
}

async function start(
  t: Parameters<typeof startTestApi>[0],
  policy: object = semantic,
): Promise<{ api: TestApi; manufacturer: EmulatedManufacturer; tpm: EmulatedTpm }> {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  await establishPolicy(api, await createOperator(api), policy)
  return { api, manufacturer, tpm: new EmulatedTpm({ manufacturer }) }
}

function outcomesOf({ json }: TestAnswer): Record<string, string> {
  const { rules } = json['attestationResult'] as { rules: { rule: string; outcome: string }[] }
  return Object.fromEntries(rules.map(({ rule, outcome }) => [rule, outcome]))
}

test('a host is judged by what its event log shows, not by PCR values', async t => {
  const { api, tpm } = await start(t)
  const events = grubBoot()
  boot(tpm, { events })
  const enrolled = await attest(api, tpm, { eventLog: makeEventLog(events) })
  t.is(enrolled.status, 201, enrolled.text)
  t.like(outcomesOf(enrolled), {
    'event-log': 'affirming',
    'secure-boot': 'affirming',
    'boot-images': 'affirming',
  })
})

test('a host without the log that rules ask for is refused by the first of them', async t => {
  const { api, tpm } = await start(t)
  boot(tpm, { events: grubBoot() })
  const refused = await attest(api, tpm, {})
  t.is(refused.status, 403)
  t.like(refused.json, { code: 'attestation-contraindicated', found: 'event-log' })
})

test('a boot without Secure Boot is genuine, and refused by that rule', async t => {
  const { api, tpm } = await start(t)
  const events = [
    ...grubBoot().filter(event => event.pcr !== 7),
    ...secureBoot(Uint8Array.of(0)),
    separator(7),
  ]
  boot(tpm, { events })
  const refused = await attest(api, tpm, { eventLog: makeEventLog(events) })
  t.is(refused.status, 403)
  t.is(outcomesOf(refused)['secure-boot'], 'contraindicated')
  t.is(outcomesOf(refused)['boot-images'], 'affirming')
})

test('a log that does not lead to the quote is refused under any policy, and kept', async t => {
  for (const policy of [semantic, writtenPolicy]) {
    const { api, tpm } = await start(t, policy)
    const events = grubBoot()
    boot(tpm, { events })
    const dropped = events.findLast(({ pcr }) => pcr === 4)
    const eventLog = makeEventLog(events.filter(event => event !== dropped))
    const refused = await attest(api, tpm, { eventLog })
    t.is(refused.status, 403)
    t.like(refused.json, { code: 'eventlog-pcr-differs' })
    const [kept] = await api.service.store.attestations.list(null, 1)
    t.like(kept, { hostId: null, status: 'contraindicated' })
    t.is((await attest(api, tpm, { eventLog: makeEventLog(events) })).status, 201)
  }
})

test('bytes that are no log are refused with a code of their own', async t => {
  const { api, tpm } = await start(t)
  boot(tpm, { events: grubBoot() })
  const refused = await attest(api, tpm, { eventLog: Buffer.from('not a log') })
  t.is(refused.status, 403)
  t.regex(String(refused.json['code']), /^eventlog-/)
})

const ima = {
  ...writtenPolicy,
  pcrs: { sha256: pcrs },
  referenceValues: { init: { digest: sha256('/sbin/init') }, sh: { digest: sha256('/bin/sh') } },
  rules: [...writtenPolicy.rules, { kind: 'ima', accept: ['init', 'sh'] }],
}

test('a list of IMA goes on where it was verified to, and what is not listed refuses the host', async t => {
  const { api, tpm } = await start(t, ima)
  const events = grubBoot()
  const eventLog = makeEventLog(events)
  const first = [aggregateEntry(quoteOf(events, pcrs)), fileEntry('/sbin/init')]
  const show = async (entries: readonly MadeEntry[]): Promise<TestAnswer> => {
    boot(tpm, { events, entries })
    return await attest(api, tpm, { eventLog, imaLog: makeImaList(entries) })
  }
  const enrolled = await show(first)
  t.is(enrolled.status, 201, enrolled.text)
  const { id } = enrolled.json['host'] as { id: string }
  const stateOf = async (): Promise<{ count: number }> => {
    const { platformState } = (await api.service.store.hosts.find(id)) ?? {}
    const { ima: kept } = JSON.parse(platformState ?? '{}') as PlatformState
    return JSON.parse(kept ?? '{}') as { count: number }
  }
  t.is((await stateOf()).count, 2)
  t.is((await show([...first, fileEntry('/bin/sh')])).status, 201)
  t.is((await stateOf()).count, 3)

  const rewritten = [...first, fileEntry('/bin/sh', '/sbin/init')]
  t.like((await show(rewritten)).json, { code: 'ima-prefix-changed' })
  const strange = await show([...first, fileEntry('/bin/sh'), fileEntry('/tmp/tool')])
  t.like(strange.json, { code: 'attestation-contraindicated', found: 'ima' })
  t.is((await stateOf()).count, 3)

  tpm.reset()
  t.is((await show(first)).status, 201)
  t.is((await stateOf()).count, 2)
})
