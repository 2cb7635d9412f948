import { decodeUtf8 } from '../uefi/text.ts'
import { EVENT_TYPE } from './event-type.ts'
import { hexOf, provenanceOf, type Provenance } from './fact.ts'
import { labelOf } from './measured-text.ts'
import type { ProvenEvent } from './proven-event.ts'
import { linuxTag, readTaggedEvent } from './tagged-event.ts'

/** A text that a boot loader measured. */
export interface MeasuredText extends Provenance {
  readonly text: string
}

/** Content that a boot loader measured by its digest alone. */
export interface MeasuredContent extends Provenance {
  /** Hex, of the bank of the facts. */
  readonly digest: string
  /** File or variable by which the log calls it. A hint: no digest covers it. */
  readonly nameHint: string | undefined
}

/** What GRUB, shim and the EFI stub of Linux measured into PCRs 8, 9, 12 and 14. */
export interface BootLoaderFacts {
  /** Each text of PCR 8: commands, and command lines of kernels and modules. */
  readonly commands: readonly MeasuredText[]
  /** What of PCR 8 is not a text that its digest is of. */
  readonly unknown: readonly MeasuredContent[]
  /** Files of PCR 9, in their order. */
  readonly files: readonly MeasuredContent[]
  /** All that can have been the command line of a kernel; a policy allows each of them or none. */
  readonly commandLines: readonly MeasuredText[]
  /** Lists of shim in PCR 14: MokList, MokListX, MokListTrusted. */
  readonly machineOwnerKeys: readonly MeasuredContent[]
}

/** Commands of GRUB that load a kernel; what follows is its command line. */
const linuxCommand = /^(?:linux|linux16|linuxefi|multiboot2?|xen_hypervisor) +/

/**
 * Watches PCRs 8, 9, 12 and 14. The label before a text in PCR 8 is not covered by its digest: a command can be passed
 * off as a command line and the other way round. So every text that may be a command line counts as one.
 *
 * @see GRUB 2.12 §19.6 Measuring boot components; shim README.tpm; verification L1
 */
export class BootLoaderWatch {
  readonly #commands: MeasuredText[] = []
  readonly #unknown: MeasuredContent[] = []
  readonly #files: MeasuredContent[] = []
  readonly #commandLines: MeasuredText[] = []
  readonly #machineOwnerKeys: MeasuredContent[] = []

  see(event: ProvenEvent): void {
    if (event.pcr === 8) this.#seeCommand(event)
    if (event.pcr === 9) this.#files.push(contentOf(event))
    if (event.pcr === 12 && event.text !== undefined)
      this.#commandLines.push({ ...provenanceOf(event), text: event.text })
    if (event.pcr === 14) this.#machineOwnerKeys.push(contentOf(event))
  }

  result(): BootLoaderFacts {
    return {
      commands: this.#commands,
      unknown: this.#unknown,
      files: this.#files,
      commandLines: this.#commandLines,
      machineOwnerKeys: this.#machineOwnerKeys,
    }
  }

  #seeCommand(event: ProvenEvent): void {
    const { text } = event
    if (text === undefined) return void this.#unknown.push(contentOf(event))
    const measured = { ...provenanceOf(event), text }
    this.#commands.push(measured)
    const line = commandLineIn(event, text)
    if (line !== undefined) this.#commandLines.push({ ...measured, text: line })
  }
}

/**
 * The command line in a text of PCR 8: behind the command that loads a kernel, the whole of what begins as one, and
 * of what has no label of GRUB, which is how systemd-boot before version 251 measured it.
 */
function commandLineIn(event: ProvenEvent, text: string): string | undefined {
  if (linuxCommand.test(text)) return text.replace(linuxCommand, '')
  const isClaimed = labelOf(event.data)?.includes('cmdline') !== false
  return isClaimed || /^[/(]/.test(text) ? text : undefined
}

function contentOf(event: ProvenEvent): MeasuredContent {
  return { ...provenanceOf(event), digest: hexOf(event.digest), nameHint: nameOf(event) }
}

function nameOf({ type, data }: ProvenEvent): string | undefined {
  if (type !== EVENT_TYPE.EVENT_TAG) return data.length > 1024 ? undefined : decodeUtf8(data)
  const tagged = readTaggedEvent(data)
  if (tagged?.id === linuxTag.initrd) return 'Linux initrd'
  return tagged?.id === linuxTag.loadOptions ? 'LOADED_IMAGE::LoadOptions' : undefined
}
