import type { Check } from '../verifier/check.ts'
import { EVENT_TYPE, isHashedWhole } from './event-type.ts'
import { breachOf, factCheck } from './fact.ts'
import type { ProvenEvent } from './proven-event.ts'

const firmwarePcrs = [0, 1, 2, 3, 4, 5, 6, 7] as const
const closedPcrs: readonly number[] = [0, 1, 2, 3]

/** What a separator says: 0 or all ones that all is well, 1 that the firmware failed. */
export type SeparatorMark = 'normal' | 'error'

/**
 * The mark of a separator whose digest is that of its four bytes; undefined for any other event.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §3.3.2
 */
export function separatorMark({ type, data, binding }: ProvenEvent): SeparatorMark | undefined {
  if (type !== EVENT_TYPE.SEPARATOR || binding !== 'data' || data.length !== 4) return undefined
  const word = Buffer.from(data).readUInt32LE()
  if (word === 0 || word === 0xffff_ffff) return 'normal'
  return word === 1 ? 'error' : undefined
}

/** Watches the order that the profile prescribes for PCRs 0 to 7 (verification L1, L8). */
export class StructureWatch {
  readonly #separators = new Map<number, number>()
  readonly #errors: number[] = []
  readonly #late: number[] = []
  readonly #foreign: number[] = []

  see(event: ProvenEvent): void {
    const mark = separatorMark(event)
    if (mark !== undefined) this.#separators.set(event.pcr, this.#separatorsOf(event.pcr) + 1)
    else if (closedPcrs.includes(event.pcr) && this.#separatorsOf(event.pcr) > 0)
      this.#late.push(event.index)
    if (mark === 'error') this.#errors.push(event.index)
    if (isHashedWhole(event.type) && event.binding !== 'data') this.#foreign.push(event.index)
  }

  /** Lines of the verdict, for PCRs that the quote has shown. */
  checks(isProven: (pcr: number) => boolean): Check[] {
    const uneven = firmwarePcrs.filter(pcr => isProven(pcr) && this.#separatorsOf(pcr) !== 1)
    return [
      factCheck('eventlog-data', breachOf(this.#foreign)),
      factCheck(
        'eventlog-separators',
        uneven.length === 0 ? undefined : `PCRs ${uneven.join(', ')}`,
      ),
      factCheck('eventlog-error-separator', breachOf(this.#errors)),
      factCheck('eventlog-after-separator', breachOf(this.#late)),
    ]
  }

  #separatorsOf(pcr: number): number {
    return this.#separators.get(pcr) ?? 0
  }
}
