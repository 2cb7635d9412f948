import { hex } from '../bytes/format-error.ts'
import { EventLogError } from './error.ts'
import { EVENT_TYPE } from './event-type.ts'
import type { EventRecord } from './record.ts'

/** "StartupLocality", with its zero byte. */
const signature = Buffer.from('StartupLocality\0', 'latin1')

/** How the platform started: what PCR 0 began with. */
export interface Startup {
  /** Locality of TPM2_Startup, or 4 where an H-CRTM came before it; the last byte that PCR 0 began with. */
  readonly locality: 0 | 3 | 4
  /** Whether the log says so, rather than being silent, which means locality 0. */
  readonly isStated: boolean
  /** Whether PCR 0 begins with an H-CRTM event. */
  readonly hasHcrtm: boolean
}

/**
 * Watches the events of a log for how the platform started.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.4.5.3; verification L5
 */
export class StartupWatch {
  #locality: 0 | 3 | 4 | undefined
  #hasHcrtm = false
  #isExtended = false

  /** Takes the next event. Throws EventLogError `eventlog-startup-locality`, `eventlog-hcrtm`. */
  see(event: EventRecord): void {
    if (event.type === EVENT_TYPE.NO_ACTION) this.#seeNoAction(event)
    else if (event.type === EVENT_TYPE.EFI_HCRTM_EVENT) this.#seeHcrtm(event)
    if (event.type !== EVENT_TYPE.NO_ACTION && event.pcr === 0) this.#isExtended = true
  }

  /** What all events together say. */
  result(): Startup {
    const locality = this.#locality ?? (this.#hasHcrtm ? 4 : 0)
    return { locality, isStated: this.#locality !== undefined, hasHcrtm: this.#hasHcrtm }
  }

  #seeNoAction({ pcr, data, index }: EventRecord): void {
    if (Buffer.compare(data.subarray(0, signature.length), signature) !== 0) return
    const value = data[signature.length]
    const isFirst = this.#locality === undefined && !this.#isExtended && pcr === 0
    const isKnown = value === 0 || value === 3 || value === 4
    if (data.length !== signature.length + 1 || !isFirst || !isKnown) {
      const found = `${value === undefined ? 'nothing' : hex(value)} in event ${index}`
      throw new EventLogError('eventlog-startup-locality', { expected: '0, 3 or 4, once', found })
    }
    this.#locality = value
  }

  #seeHcrtm({ pcr, index }: EventRecord): void {
    const isPlaced = pcr === 0 && !this.#isExtended
    if (!isPlaced || (this.#locality !== undefined && this.#locality !== 4))
      throw new EventLogError('eventlog-hcrtm', { found: `event ${index}` })
    this.#hasHcrtm = true
  }
}
