import { decodeUtf16 } from '../uefi/text.ts'
import { EVENT_TYPE } from './event-type.ts'
import { hexOf, provenanceOf, type Provenance } from './fact.ts'
import type { ProvenEvent } from './proven-event.ts'
import { readTaggedEvent } from './tagged-event.ts'

/** A section of a unified kernel image, as its stub measured it. */
export interface KernelSection extends Provenance {
  /** `.linux`, `.initrd`, … */
  readonly name: string
  /** Hex, of the bank of the facts: digest of the content of the section. */
  readonly digest: string
}

/** Something that systemd-boot or the stub passed to the kernel beside the image: credentials, extensions, add-ons. */
export interface KernelParameter extends Provenance {
  readonly digest: string
  /** What the log calls it. A hint. */
  readonly description: string | undefined
  /** Identifier of a tagged event; a hint. */
  readonly tag: number | undefined
}

/** What PCRs 11 to 13 show of a unified kernel image. */
export interface UnifiedKernelFacts {
  readonly sections: readonly KernelSection[]
  /** Whether PCR 11 was proven and held nothing but pairs of a section's name and its content. */
  readonly isComplete: boolean
  /** All that was measured into PCRs 12 and 13 and is no command line. */
  readonly parameters: readonly KernelParameter[]
  /** Whether both PCRs were proven, so that there can be no other parameters. */
  readonly areParametersComplete: boolean
}

/** A section's name has a digest of that name with its zero byte (UAPI.5 Unified Kernel Image). */
const sectionName = /^\.[a-z0-9]{1,7}$/

/**
 * Watches PCR 11, where the stub measures each section's name and then its content, and PCRs 12 and 13, where it
 * measures what may change from boot to boot.
 *
 * @see systemd docs/TPM2_PCR_MEASUREMENTS.md; UAPI.5 Unified Kernel Image
 */
export class UnifiedKernelWatch {
  readonly #sections: KernelSection[] = []
  readonly #parameters: KernelParameter[] = []
  #name: string | undefined
  #isPaired = true

  see(event: ProvenEvent): void {
    if (event.pcr === 11) this.#seeSection(event)
    const isParameter = event.pcr === 12 || event.pcr === 13
    if (isParameter && event.text === undefined) this.#parameters.push(parameterOf(event))
  }

  /** Undefined where nothing shows that an image of this kind was started. */
  result(isProven: (pcr: number) => boolean): UnifiedKernelFacts | undefined {
    const isPaired = this.#isPaired && this.#name === undefined
    const isEmpty = this.#sections.length === 0 && isPaired
    if (isEmpty && this.#parameters.length === 0) return undefined
    return {
      sections: this.#sections,
      isComplete: isPaired && isProven(11),
      parameters: this.#parameters,
      areParametersComplete: isProven(12) && isProven(13),
    }
  }

  #seeSection(event: ProvenEvent): void {
    const name = this.#name
    if (name !== undefined) {
      this.#name = undefined
      this.#sections.push({ ...provenanceOf(event), name, digest: hexOf(event.digest) })
    } else if (event.text !== undefined && sectionName.test(event.text)) this.#name = event.text
    else this.#isPaired = false
  }
}

function parameterOf(event: ProvenEvent): KernelParameter {
  const tagged = event.type === EVENT_TYPE.EVENT_TAG ? readTaggedEvent(event.data) : undefined
  const description = decodeUtf16(tagged?.data ?? event.data)
  return { ...provenanceOf(event), digest: hexOf(event.digest), description, tag: tagged?.id }
}
