import { hash } from 'node:crypto'
import { deriveFacts, type BootFacts } from '../../../src/core/eventlog/boot-facts.ts'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { verifyEventLog } from '../../../src/core/eventlog/verify.ts'
import { makeEventLog, quoteOf, type MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import { grubBoot, quotedPcrs } from '../../../swtpm/emulated/boot-events.ts'

/** A boot with nothing wrong. */
export const boot = grubBoot()

/** What a boot says whose PCRs were quoted. */
export function factsOf(
  events: readonly MadeEvent[],
  pcrs: readonly number[] = quotedPcrs,
): BootFacts {
  const log = parseEventLog(makeEventLog(events))
  return deriveFacts(verifyEventLog(log, [quoteOf(events, pcrs)]))
}

/** Codes of the checks that failed. */
export function failed(facts: BootFacts): string[] {
  return facts.checks.filter(({ outcome }) => outcome === 'fail').map(({ code }) => code)
}

/** Events but those that are removed. */
export function without(
  events: readonly MadeEvent[],
  removed: (event: MadeEvent) => boolean,
): MadeEvent[] {
  return events.filter(event => !removed(event))
}

/** Of a text, in hex. */
export function sha256(text: string): string {
  return hash('sha256', text)
}
