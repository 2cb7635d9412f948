import { imageFileHint } from '../uefi/device-path.ts'
import type { Check } from '../verifier/check.ts'
import { eventTypeName } from './event-type.ts'
import { factCheck, hexOf, provenanceOf, type Provenance } from './fact.ts'
import type { ProvenEvent } from './proven-event.ts'
import { separatorMark } from './structure.ts'

/** A program that was started, in the order of PCR 4: firmware applications, boot loader, kernel. */
export interface BootImage extends Provenance {
  /** Hex, of the bank of the facts: the Authenticode digest of the PE image. */
  readonly digest: string
  /** Whether the firmware had said before that it starts what a boot option names. */
  readonly isBootOption: boolean
  /** What the log calls it. A hint. */
  readonly claimedType: string
  /** Where it was loaded from. A hint: no digest covers it. */
  readonly fileHint: string | undefined
}

const calling = 'Calling EFI Application from Boot Option'

/** What PCR 4 holds that is no program: exactly these texts (PC Client Platform Firmware Profile r1.05 §10.4.4). */
const actions: readonly string[] = [
  calling,
  'Returning from EFI Application from Boot Option',
  'BOOT ATTEMPTS OMITTED',
]

/**
 * Watches PCR 4. Everything in it counts as a program that is not a separator or one of a few fixed texts with a digest
 * of exactly that text: whatever a log calls an event, a program cannot be hidden as something else.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §3.3.4.5; verification L1, L8
 */
export class BootImageWatch {
  readonly #images: BootImage[] = []
  #isCalled = false

  see(event: ProvenEvent): void {
    if (event.pcr !== 4 || separatorMark(event) !== undefined) return
    const action = event.binding === 'data' ? actionOf(event.data) : undefined
    if (action === calling) this.#isCalled = true
    if (action === undefined) this.#images.push(imageOf(event, this.#isCalled))
  }

  result(isProven: boolean): { facts: readonly BootImage[]; checks: Check[] } {
    const early = this.#images.find(({ isBootOption }) => !isBootOption)
    const breach = early === undefined ? undefined : `event ${early.event}`
    const checks = isProven ? [factCheck('eventlog-boot-order', breach)] : []
    return { facts: this.#images, checks }
  }
}

function actionOf(data: Uint8Array): string | undefined {
  if (data.length > 64) return undefined
  const text = Buffer.from(data).toString('latin1')
  return actions.includes(text) ? text : undefined
}

function imageOf(event: ProvenEvent, isBootOption: boolean): BootImage {
  return {
    ...provenanceOf(event),
    digest: hexOf(event.digest),
    isBootOption,
    claimedType: eventTypeName(event.type),
    fileHint: imageFileHint(event.data),
  }
}
