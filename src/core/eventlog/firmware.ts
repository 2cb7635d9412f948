import { parsePartitionTable } from '../uefi/partition-table.ts'
import { decodeUtf16 } from '../uefi/text.ts'
import { unlessMalformed } from '../uefi/unless-malformed.ts'
import type { Check } from '../verifier/check.ts'
import { EVENT_TYPE, eventTypeName } from './event-type.ts'
import { factCheck, hexOf, provenanceOf, type Provenance } from './fact.ts'
import type { ProvenEvent } from './proven-event.ts'
import { separatorMark } from './structure.ts'

/** A part of the firmware, by its digest. */
export interface FirmwarePart extends Provenance {
  /** Hex, of the bank of the facts. */
  readonly digest: string
  /** What the log calls it. A hint. */
  readonly claimedType: string
}

/** What PCRs 0, 2 and 5 show. */
export interface FirmwareFacts {
  /** Version of the static root of trust, where its text is what was measured. */
  readonly version: (Provenance & { readonly text: string }) | undefined
  /** All else of PCR 0: firmware volumes, microcode. */
  readonly code: readonly FirmwarePart[]
  /** PCR 2: drivers from option ROMs and elsewhere. */
  readonly drivers: readonly FirmwarePart[]
  /** Partitions of the disk that was booted from; undefined where the table was not measured or cannot be read. */
  readonly partitions: (Provenance & { readonly types: readonly string[] }) | undefined
  /** Whether boot services ended, once, and well: what ran before can no longer be in control. */
  readonly hasExitedBootServices: boolean
}

const exitInvocation = 'Exit Boot Services Invocation'
const exitSuccess = 'Exit Boot Services Returned with Success'

/** Watches PCRs 0, 2 and 5 (TCG PC Client Platform Firmware Profile r1.05 §3.3.4). */
export class FirmwareWatch {
  readonly #code: FirmwarePart[] = []
  readonly #drivers: FirmwarePart[] = []
  readonly #exits: string[] = []
  #version: FirmwareFacts['version']
  #partitions: FirmwareFacts['partitions']

  see(event: ProvenEvent): void {
    if (separatorMark(event) !== undefined) return
    if (event.pcr === 0) this.#seeCode(event)
    if (event.pcr === 2) this.#drivers.push(partOf(event))
    if (event.pcr === 5 && event.binding === 'data') this.#seeBoot(event)
  }

  result(isBootProven: boolean): { facts: FirmwareFacts; checks: Check[] } {
    const hasExitedBootServices =
      this.#exits.slice(-2).join() === `${exitInvocation},${exitSuccess}`
    const breach = hasExitedBootServices ? undefined : 'no successful end'
    const facts = {
      version: this.#version,
      code: this.#code,
      drivers: this.#drivers,
      partitions: this.#partitions,
      hasExitedBootServices,
    }
    const checks = isBootProven ? [factCheck('eventlog-exit-boot-services', breach)] : []
    return { facts, checks }
  }

  #seeCode(event: ProvenEvent): void {
    const text = event.type === EVENT_TYPE.S_CRTM_VERSION ? versionText(event) : undefined
    if (text === undefined || this.#version !== undefined) this.#code.push(partOf(event))
    else this.#version = { ...provenanceOf(event), text }
  }

  #seeBoot(event: ProvenEvent): void {
    const text = event.data.length < 64 ? Buffer.from(event.data).toString('latin1') : ''
    if (text.startsWith('Exit Boot Services')) this.#exits.push(text)
    const isTable =
      event.type === EVENT_TYPE.EFI_GPT_EVENT || event.type === EVENT_TYPE.EFI_GPT_EVENT2
    const table = isTable ? unlessMalformed(() => parsePartitionTable(event.data)) : undefined
    if (table !== undefined) this.#partitions ??= { ...provenanceOf(event), ...table }
  }
}

/** A text in UTF-16, or the hex of what some vendors measure instead, such as a GUID. */
function versionText({ binding, data }: ProvenEvent): string | undefined {
  if (binding !== 'data' || data.length > 256) return undefined
  const text = decodeUtf16(data)
  return text !== undefined && /^[\u0020-\u007E]*$/.test(text) ? text : hexOf(data)
}

function partOf(event: ProvenEvent): FirmwarePart {
  const claimedType = eventTypeName(event.type)
  return { ...provenanceOf(event), digest: hexOf(event.digest), claimedType }
}
