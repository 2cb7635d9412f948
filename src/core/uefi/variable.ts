import { FormatError } from '../bytes/format-error.ts'
import { readGuid } from './guid.ts'
import { LittleEndianReader } from './little-endian-reader.ts'
import { decodeUtf16 } from './text.ts'

/** A variable as an event measured it. */
export interface UefiVariable {
  /** GUID of its owner. */
  readonly vendor: string
  readonly name: string
  /** A view of the input. */
  readonly data: Uint8Array
}

/**
 *     UEFI_VARIABLE_DATA { variableName EFI_GUID, unicodeNameLength UINT64, variableDataLength UINT64,
 *                          unicodeName CHAR16 [], variableData [] }
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.2.6
 */
export function parseUefiVariable(bytes: Uint8Array): UefiVariable {
  const reader = new LittleEndianReader(bytes)
  const vendor = readGuid(reader)
  const [nameLength, dataLength] = [reader.size64(), reader.size64()]
  const name = decodeUtf16(reader.bytes(nameLength * 2))
  if (name === undefined) throw new FormatError('structure-value', { expected: 'a name' })
  const data = reader.bytes(dataLength)
  reader.finish()
  return { vendor, name, data }
}
