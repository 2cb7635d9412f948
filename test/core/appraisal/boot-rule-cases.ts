import type { Rule } from '../../../src/core/appraisal/rule-table.ts'
import type { AppraisalStatus } from '../../../src/core/appraisal/status.ts'
import { variableVendor } from '../../../src/core/uefi/guid.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import {
  authority,
  grub,
  grubBoot,
  secureBoot,
  unifiedBoot,
  wide,
} from '../../../swtpm/emulated/boot-events.ts'
import type { MadeEvent } from '../../../swtpm/emulated/event-log.ts'

/** A rule, a boot, and what the rule makes of it. */
export interface Case {
  readonly name: string
  readonly rule: Rule
  readonly events: readonly MadeEvent[] | undefined
  readonly pcrs?: readonly number[]
  readonly outcome: AppraisalStatus
  /** What the finding must name. */
  readonly found?: RegExp
}

/** A boot that the rule affirms. */
export const holds = (name: string, rule: Rule, events: readonly MadeEvent[]): Case => ({
  name,
  rule,
  events,
  outcome: 'affirming',
})

/** A boot that the rule contradicts, in words that name it. */
export const fails = (
  name: string,
  rule: Rule,
  events: readonly MadeEvent[] | undefined,
  found: RegExp,
  pcrs?: readonly number[],
): Case => ({ name, rule, events, outcome: 'contraindicated', found, ...(pcrs && { pcrs }) })

/** The rule that the log explains PCRs 0 to 7. */
export const log: Extract<Rule, { kind: 'event-log' }> = {
  kind: 'event-log',
  id: 'log',
  explain: [0, 1, 2, 3, 4, 5, 6, 7],
  quirks: [],
  tolerate: [],
}

/** The rule that Secure Boot is on. */
export const on: Rule = { kind: 'secure-boot', id: 'on' }

/** The rule about db. */
export const db = (changes: Partial<Extract<Rule, { kind: 'secure-boot-database' }>>): Rule => ({
  kind: 'secure-boot-database',
  id: 'db',
  database: 'db',
  ...changes,
})

/** The rule about who signed what was started. */
export const signed = (...accept: string[]): Rule => ({
  kind: 'boot-authority',
  id: 'signed',
  accept,
})

/** The rule about what was started. */
export const images = (accept: string[], last?: string[]): Rule => ({
  kind: 'boot-images',
  id: 'images',
  accept,
  last,
})

/** The rule about what the boot loader read. */
export const files = (...accept: string[]): Rule => ({ kind: 'boot-files', id: 'files', accept })

/** The rule about the command line. */
export const line: Extract<Rule, { kind: 'kernel-command-line' }> = {
  kind: 'kernel-command-line',
  id: 'line',
  allow: ['quiet', 'splash'],
  require: [],
  embedded: ['quiet'],
  parameters: ['addon'],
}

/** A boot of a kernel whose command line this is. */
export const kernel = (
  sections: Record<string, string[]>,
  others: 'accept' | 'refuse' = 'refuse',
): Rule => ({
  kind: 'unified-kernel',
  id: 'kernel',
  sections,
  others,
})

/** A boot without the events for which this holds. */

/** Events but those of one kind. */
export function without(
  events: readonly MadeEvent[],
  drop: (event: MadeEvent) => boolean,
): MadeEvent[] {
  return events.filter(event => !drop(event))
}

/** A boot in which more happens after its end. */
export const afterCalling = (more: readonly MadeEvent[]): MadeEvent[] => [...unifiedBoot(), ...more]

/** Whether an event is a variable of Secure Boot. */
export const isVariable = ({ pcr, type }: MadeEvent): boolean =>
  pcr === 7 && type === EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG

/** A boot whose Secure Boot is off. */
export const off = [...secureBoot(Uint8Array.of(0)), ...without(grubBoot(), isVariable)]

/** An authority that is in no database. */
export const stranger = authority(variableVendor.imageSecurity, 'db', Buffer.alloc(40, 7))

/** A boot that ends with shim. */
export const shimOnly = without(grubBoot(), ({ type, data }) => {
  const isAuthority = type === EVENT_TYPE.EFI_VARIABLE_AUTHORITY
  return isAuthority && !Buffer.from(data).includes(Buffer.from(wide('SbatLevel')))
})

/** The rule about a command line as GRUB logs it. */
export const grubLine: typeof line = {
  ...line,
  allow: ['/vmlinuz', 'root=*'],
  require: ['ro'],
  embedded: [],
  parameters: [],
}

/** A boot by GRUB with this command line. */
export const grubWith = (text: string): MadeEvent[] => [
  ...without(grubBoot(), ({ pcr }) => pcr === 8),
  grub('kernel_cmdline: ', text),
]

/** What GRUB reads. */
export const grubFiles = ['configuration', 'initrd']
