import { EVENT_TYPE } from '../../src/core/eventlog/event-type.ts'
import { unifiedBoot } from './boot-events.ts'
import type { EmulatedTpm } from './emulated-tpm.ts'
import { eventDigest, makeEventLog, type MadeEvent } from './event-log.ts'
import { aggregateEntry, entryDigest, fileEntry, makeImaList, type MadeEntry } from './ima-list.ts'

/** What was measured since a machine was switched on. */
export interface EmulatedBoot {
  readonly events: readonly MadeEvent[]
  /** What IMA measured after its aggregate of the boot. */
  readonly files: readonly MadeEntry[]
}

/** A boot of a unified kernel image, and a few files. */
export const ordinaryBoot: EmulatedBoot = {
  events: unifiedBoot(),
  files: ['/init', '/usr/bin/sh', '/usr/lib/agent'].map(path => fileEntry(path)),
}

/** Measures a boot into a TPM, whose machine logs it: its quotes and its logs belong together from here on. */
export function playBoot(tpm: EmulatedTpm, { events, files }: EmulatedBoot = ordinaryBoot): void {
  for (let pcr = 0; pcr < 24; pcr += 1)
    tpm.pcrs.set(pcr, Buffer.alloc(32, pcr >= 17 && pcr <= 22 ? 0xff : 0))
  for (const event of events)
    if (event.type !== EVENT_TYPE.NO_ACTION) tpm.extend(event.pcr, eventDigest(event, 'sha256'))
  const first = aggregateEntry({ bank: 'sha256', values: tpm.pcrs })
  const entries = [first, ...files]
  for (const entry of entries) tpm.extend(entry.pcr ?? 10, entryDigest(entry, 'sha256'))
  tpm.logs = { eventLog: makeEventLog(events), imaLog: makeImaList(entries) }
}

/** Has IMA measure more files in the same boot. */
export function runFiles(tpm: EmulatedTpm, files: readonly MadeEntry[]): void {
  for (const entry of files) tpm.extend(entry.pcr ?? 10, entryDigest(entry, 'sha256'))
  const imaLog = Buffer.concat([tpm.logs.imaLog ?? new Uint8Array(0), makeImaList(files)])
  tpm.logs = { ...tpm.logs, imaLog }
}
