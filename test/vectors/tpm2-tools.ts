import { FormatError } from '../../src/core/bytes/format-error.ts'
import { parseAll } from '../../src/core/bytes/reader.ts'
import type { PcrSelection } from '../../src/core/tpm/pcr-selection.ts'

/** The contents of a TPM2B. */
export function unsized(bytes: Uint8Array): Uint8Array {
  return parseAll(bytes, reader => reader.sized())
}

/** What `tpm2_quote --pcr` writes beside a quote. */
export interface PcrValues {
  readonly selections: readonly PcrSelection[]
  readonly digests: readonly Uint8Array[]
}

const banks = 16
const bankSize = 8
const digestsInList = 8
const digestSize = 2 + 64

/**
 * Structures as they lie in the memory of a little-endian machine: a TPML_PCR_SELECTION with room for 16 banks, a
 * count, and as many TPML_DIGEST with room for 8 digests of 64 bytes.
 */
export function parsePcrValues(bytes: Uint8Array): PcrValues {
  const buffer = Buffer.from(bytes)
  const bankCount = buffer.readUInt32LE(0)
  const selections = Array.from({ length: bankCount }, (_, n) =>
    selectionAt(buffer.subarray(4 + n * bankSize, 4 + (n + 1) * bankSize)),
  )
  const start = 4 + banks * bankSize
  const listCount = buffer.readUInt32LE(start)
  const listSize = 4 + digestsInList * digestSize
  if (buffer.length !== start + 4 + listCount * listSize)
    throw new FormatError('structure-trailing')
  const digests = Array.from({ length: listCount }, (_, n) =>
    digestsOf(buffer.subarray(start + 4 + n * listSize, start + 4 + (n + 1) * listSize)),
  )
  return { selections, digests: digests.flat() }
}

/** TPMS_PCR_SELECTION: hash, count of octets, four octets, one of padding. */
function selectionAt(bank: Buffer): PcrSelection {
  const octets = bank.subarray(3, 3 + bank.readUInt8(2))
  const pcrs = Array.from({ length: 8 * octets.length }, (_, pcr) => pcr)
  const isSelected = (pcr: number): boolean => ((octets.readUInt8(pcr >> 3) >> (pcr & 7)) & 1) === 1
  return { hash: bank.readUInt16LE(0), pcrs: pcrs.filter(isSelected) }
}

function digestsOf(list: Buffer): Uint8Array[] {
  return Array.from({ length: list.readUInt32LE(0) }, (_, n) => {
    const start = 4 + n * digestSize
    return list.subarray(start + 2, start + 2 + list.readUInt16LE(start))
  })
}
