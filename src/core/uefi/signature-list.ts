import { FormatError } from '../bytes/format-error.ts'
import { readGuid } from './guid.ts'
import { LittleEndianReader } from './little-endian-reader.ts'

/** What one entry of a database is. */
export type SignatureKind = 'x509' | 'sha256' | 'x509-sha256' | 'rsa2048' | 'other'

/** EFI_SIGNATURE_DATA with the type of its list. */
export interface SignatureEntry {
  readonly kind: SignatureKind
  /** GUID of who put it there. */
  readonly owner: string
  /** Certificate, hash or key; a view of the input. */
  readonly data: Uint8Array
  /** Owner and data as they stand in the list. */
  readonly bytes: Uint8Array
}

/** UEFI 2.10 §32.4.1 signature types, with the size of their data where it is fixed. */
const types: ReadonlyMap<string, { kind: SignatureKind; size: number | undefined }> = new Map([
  ['a5c059a1-94e4-4aa7-87b5-ab155c2bf072', { kind: 'x509', size: undefined }],
  ['c1c41626-504c-4092-aca9-41f936934328', { kind: 'sha256', size: 32 }],
  ['3bd2a492-96c0-4079-b420-fcf98ef103ed', { kind: 'x509-sha256', size: 48 }],
  ['3c5766e8-269c-4e34-aa14-ed776e85b3b6', { kind: 'rsa2048', size: 256 }],
])

const ownerSize = 16
const maxEntries = 16_384

/**
 * Reads a signature database, the lists one after the other.
 *
 *     EFI_SIGNATURE_LIST { signatureType EFI_GUID, signatureListSize UINT32, signatureHeaderSize UINT32,
 *                          signatureSize UINT32, signatureHeader [], signatures { signatureOwner EFI_GUID, data [] } [] }
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see UEFI 2.10 §32.4.1; verification L13
 */
export function parseSignatureLists(bytes: Uint8Array): SignatureEntry[] {
  const reader = new LittleEndianReader(bytes)
  const entries: SignatureEntry[] = []
  while (reader.remaining > 0) {
    for (const entry of readList(reader)) entries.push(entry)
    if (entries.length > maxEntries)
      throw new FormatError('structure-value', { expected: `at most ${maxEntries} entries` })
  }
  return entries
}

function readList(reader: LittleEndianReader): SignatureEntry[] {
  const start = reader.offset
  const type = types.get(readGuid(reader))
  const [listSize, headerSize, signatureSize] = [reader.u32(), reader.u32(), reader.u32()]
  reader.bytes(headerSize)
  const length = listSize - (reader.offset - start)
  const dataSize = signatureSize - ownerSize
  const isWhole = length >= 0 && dataSize > 0 && length % signatureSize === 0
  if (!isWhole || (type?.size !== undefined && type.size !== dataSize))
    throw new FormatError('structure-value', { expected: 'whole signatures' })
  const body = reader.bytes(length)
  const kind = type?.kind ?? 'other'
  return Array.from({ length: length / signatureSize }, (_, i) =>
    entryOf(kind, body.subarray(i * signatureSize, (i + 1) * signatureSize)),
  )
}

function entryOf(kind: SignatureKind, bytes: Uint8Array): SignatureEntry {
  const owner = readGuid(new LittleEndianReader(bytes))
  return { kind, owner, data: bytes.subarray(ownerSize), bytes }
}
