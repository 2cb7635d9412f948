import { FormatError } from '../bytes/format-error.ts'
import { LittleEndianReader } from './little-endian-reader.ts'
import { decodeUtf16 } from './text.ts'
import { unlessMalformed } from './unless-malformed.ts'

const maxNodes = 64
const mediaType = 4
const filePathSubtype = 4
const endType = 0x7f
const endEntireSubtype = 0xff

/**
 * The file that a device path ends in, its nodes joined; undefined where it names none. No digest of an event covers a
 * device path: it is a hint for people.
 *
 *     EFI_DEVICE_PATH_PROTOCOL { type UINT8, subType UINT8, length UINT16, data [] } []
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see UEFI 2.10 §10.3.1, §10.3.5.4 File Path Media Device Path
 */
export function parseDevicePathFile(bytes: Uint8Array): string | undefined {
  const reader = new LittleEndianReader(bytes)
  const parts: string[] = []
  for (let nodes = 0; reader.remaining > 0; nodes += 1) {
    if (nodes === maxNodes) throw new FormatError('structure-value', { expected: 'fewer nodes' })
    const [type, subtype, length] = [reader.u8(), reader.u8(), reader.u16()]
    if (length < 4) throw new FormatError('structure-value', { expected: 'a length of 4 or more' })
    const data = reader.bytes(length - 4)
    if (type === endType && subtype === endEntireSubtype) break
    if (type === mediaType && subtype === filePathSubtype) parts.push(decodeUtf16(data) ?? '')
  }
  reader.finish()
  return parts.length === 0 ? undefined : parts.join('\\').replaceAll(/\\{2,}/g, '\\')
}

/**
 * The file of an image that was loaded, from the data of its event; undefined where there is none or it cannot be read.
 *
 *     UEFI_IMAGE_LOAD_EVENT { imageLocationInMemory UINT64, imageLengthInMemory UINT64, imageLinkTimeAddress UINT64,
 *                             lengthOfDevicePath UINT64, devicePath [] }
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.2.3
 */
export function imageFileHint(data: Uint8Array): string | undefined {
  return unlessMalformed(() => {
    const reader = new LittleEndianReader(data)
    reader.bytes(24)
    return parseDevicePathFile(reader.bytes(reader.size64()))
  })
}
