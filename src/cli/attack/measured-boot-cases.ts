import { EVENT_TYPE } from '../../core/eventlog/event-type.ts'
import { needsLog } from '../../core/appraisal/measured-platform.ts'
import type { PolicyDocument } from '../../core/appraisal/policy.ts'
import { grubBoot, image, secureBoot, unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'
import { legacyRecord, makeEventLog, type MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'
import type { EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import { ordinaryBoot, playBoot } from '../../../swtpm/emulated/play-boot.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll } from './flows.ts'

const honest: AttackCase['twin'] = async world => await enroll(world)
const { events, files } = ordinaryBoot

/** What the service answers where the policy dislikes what is genuine. */
const disliked = 'attestation-contraindicated'
const sha256 = 0x000b

type Logs = EmulatedTpm['logs']

const needsEventLog = (policy: PolicyDocument): boolean => needsLog(policy, 'event-log')
const needsIma = (policy: PolicyDocument): boolean => needsLog(policy, 'ima-log')
const needsSecureBoot = ({ rules }: PolicyDocument): boolean =>
  rules.some(({ kind }) => kind === 'secure-boot')

/** A case in which only the logs are forged: the quote is of an ordinary boot. */
function logCase(
  name: string,
  code: string,
  needs: (policy: PolicyDocument) => boolean,
  logs: (honest: Logs, tpm: EmulatedTpm) => Logs,
): AttackCase {
  const attack: AttackCase['attack'] = async world => await enroll(world, { logs })
  return { name, code, needs, attack, twin: honest }
}

function eventCase(name: string, code: string, forged: () => Uint8Array): AttackCase {
  return logCase(name, code, needsEventLog, logs => ({ ...logs, eventLog: forged() }))
}

function imaCase(
  name: string,
  code: string,
  forged: (entries: readonly MadeEntry[]) => readonly MadeEntry[],
): AttackCase {
  return logCase(name, code, needsIma, (logs, { pcrs }) => {
    const entries = [aggregateEntry({ bank: 'sha256', values: pcrs }), ...files]
    return { ...logs, imaLog: makeImaList(forged(entries)) }
  })
}

/** Where the kernel was started. */
const kernelAt = events.findLastIndex(({ pcr }) => pcr === 4)

/** The boot with the event that started the kernel changed. */
function withKernel(change: (event: MadeEvent) => MadeEvent): MadeEvent[] {
  return events.map((event, index) => (index === kernelAt ? change(event) : event))
}

function asNothing(event: MadeEvent, digest: Uint8Array): MadeEvent {
  return { ...event, type: EVENT_TYPE.NO_ACTION, digests: [[sha256, digest]] }
}

/** A machine that was started without Secure Boot, and a log that says otherwise. */
const dressedUp: AttackCase = {
  name: 'Secure Boot that was off, logged as on',
  code: disliked,
  needs: needsSecureBoot,
  attack: async world => {
    const tpm = world.createTpm()
    const [on, off] = [secureBoot(), secureBoot(Uint8Array.of(0))]
    const rest = unifiedBoot().slice(2 + on.length)
    const start = unifiedBoot().slice(0, 2)
    playBoot(tpm, { ...ordinaryBoot, events: [...start, ...off, ...rest] })
    const claimed = on.map((event, index) => ({
      ...event,
      measured: off[index]?.data ?? event.data,
    }))
    const eventLog = makeEventLog([...start, ...claimed, ...rest])
    return await enroll(world, { tpm, logs: logs => ({ ...logs, eventLog }) })
  },
  twin: honest,
}

/** Logs beside a quote: what was measured is told whole, in its order, and as what it is. */
export const measuredBootCases: readonly AttackCase[] = [
  eventCase('kernel logged as an event that extends nothing', 'eventlog-no-action', () =>
    makeEventLog(withKernel(event => asNothing(event, Buffer.alloc(32, 1)))),
  ),
  eventCase('kernel hidden behind another event type', 'eventlog-pcr-differs', () =>
    makeEventLog(withKernel(event => asNothing(event, Buffer.alloc(32)))),
  ),
  dressedUp,
  eventCase('event log with an event appended', 'eventlog-pcr-differs', () =>
    makeEventLog([...events, image('\\EFI\\other.efi', 'other')]),
  ),
  eventCase('event log with an event removed', 'eventlog-pcr-differs', () =>
    makeEventLog(events.toSpliced(kernelAt, 1)),
  ),
  eventCase('event log with two events changed over', 'eventlog-pcr-differs', () =>
    makeEventLog([...events.slice(0, 2).toReversed(), ...events.slice(2)]),
  ),
  eventCase('event log with another kernel than was started', 'eventlog-pcr-differs', () =>
    makeEventLog(withKernel(() => image('\\EFI\\Linux\\uki.efi', 'other'))),
  ),
  eventCase('event log cut off inside an event', 'eventlog-malformed', () =>
    makeEventLog(events).subarray(0, -3),
  ),
  eventCase('event log cut off between events', 'eventlog-pcr-differs', () =>
    makeEventLog(events.slice(0, kernelAt)),
  ),
  eventCase('event log without events', 'eventlog-pcr-differs', () => makeEventLog([])),
  eventCase('event log of another boot', 'eventlog-pcr-differs', () => makeEventLog(grubBoot())),
  eventCase('event log of SHA-1 alone', 'eventlog-legacy', () =>
    Buffer.concat(events.map(legacyRecord)),
  ),
  logCase('no event log', disliked, needsEventLog, ({ eventLog: _none, ...logs }) => logs),
  imaCase('IMA list with the path of a file changed', 'ima-pcr-differs', entries =>
    entries.with(2, fileEntry('/usr/bin/other', '/usr/bin/sh')),
  ),
  imaCase('IMA list with a file left out in the middle', 'ima-pcr-differs', entries =>
    entries.toSpliced(2, 1),
  ),
  imaCase('IMA list without its beginning', 'ima-pcr-differs', entries => entries.slice(1)),
  logCase('no IMA list', disliked, needsIma, ({ imaLog: _none, ...logs }) => logs),
]
