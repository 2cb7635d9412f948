import { checkTable } from '../verifier/check-table.ts'
import type { Check } from '../verifier/check.ts'
import type { EventLogCheckCode } from './check-rows.ts'
import type { Binding, ProvenEvent } from './proven-event.ts'

/** Where a fact is from, and how its data is bound to what the TPM signed. */
export interface Provenance {
  readonly event: number
  readonly pcr: number
  readonly binding: Binding
}

/** The provenance of what one event shows. */
export function provenanceOf({ index, pcr, binding }: ProvenEvent): Provenance {
  return { event: index, pcr, binding }
}

/** Lower-case hex. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** A line of the verdict about a boot: it does not end the verification, a policy decides by it. */
export function factCheck(code: EventLogCheckCode, breach: string | undefined): Check {
  const { source } = checkTable[code]
  const outcome = breach === undefined ? 'pass' : 'fail'
  return { code, outcome, source, ...(breach === undefined ? {} : { found: breach }) }
}

/** Events by their place, for people; undefined where there are none. */
export function breachOf(events: readonly number[]): string | undefined {
  if (events.length === 0) return undefined
  const shown = events.slice(0, 8).join(', ')
  return `events ${shown}${events.length > 8 ? ` and ${events.length - 8} more` : ''}`
}
