import { LittleEndianReader } from '../uefi/little-endian-reader.ts'
import { unlessMalformed } from '../uefi/unless-malformed.ts'

/** The data of an EV_EVENT_TAG. A hint, unless the event's digest is that of its data. */
export interface TaggedEvent {
  readonly id: number
  readonly data: Uint8Array
}

/** Identifiers that the EFI stub of Linux uses (drivers/firmware/efi/libstub/efistub.h). */
export const linuxTag = { initrd: 0x8f3b_22ec, loadOptions: 0x8f3b_22ed } as const

/**
 *     TCG_PCClientTaggedEvent { taggedEventID UINT32, taggedEventDataSize UINT32, taggedEventData [] }
 *
 * Undefined for bytes that are none.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.4.2.1
 */
export function readTaggedEvent(bytes: Uint8Array): TaggedEvent | undefined {
  return unlessMalformed(() => {
    const reader = new LittleEndianReader(bytes)
    const id = reader.u32()
    const data = reader.bytes(reader.u32())
    reader.finish()
    return { id, data }
  })
}
