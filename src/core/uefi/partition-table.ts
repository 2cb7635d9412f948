import { FormatError } from '../bytes/format-error.ts'
import { readGuid } from './guid.ts'
import { LittleEndianReader } from './little-endian-reader.ts'

const headerSize = 92
const entrySize = 128
const maxPartitions = 128

/** The partition table of the disk that was booted from. */
export interface PartitionTable {
  /** GUIDs of the types of its partitions, in their order. */
  readonly types: readonly string[]
}

/**
 *     UEFI_GPT_DATA { uefiPartitionHeader [92], numberOfPartitions UINT64, partitions { partitionTypeGUID EFI_GUID, … } [] }
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.2.5; UEFI 2.10 §5.3; verification L13
 */
export function parsePartitionTable(bytes: Uint8Array): PartitionTable {
  const reader = new LittleEndianReader(bytes)
  reader.bytes(headerSize)
  const count = reader.size64()
  if (count > maxPartitions)
    throw new FormatError('structure-value', { expected: `at most ${maxPartitions} partitions` })
  const types = Array.from({ length: count }, () => {
    const type = readGuid(reader)
    reader.bytes(entrySize - 16)
    return type
  })
  reader.finish()
  return { types }
}
